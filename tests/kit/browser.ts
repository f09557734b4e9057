import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import type { ReadyFile } from '#standalone/ready-file.ts';

/** For every step of a page. */
const PATIENCE_MS = 60_000;

const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** A headless Chromium: `CHROMIUM_BIN`, or Debian's. */
export async function openBrowser(): Promise<Browser & AsyncDisposable> {
  const browser = await chromium.launch({
    executablePath: process.env['CHROMIUM_BIN'] ?? '/usr/bin/chromium',
    args: FLAGS,
    timeout: PATIENCE_MS,
  });
  return Object.assign(browser, { [Symbol.asyncDispose]: () => browser.close() });
}

/** Signs one of the platform's people in through the identity provider's own page; returns a page of the console. */
export async function signIn(context: BrowserContext, ready: ReadyFile, role: string): Promise<Page> {
  const user = ready.users.find((each) => each.role === role);
  if (!user) throw new Error(`nobody has the role ${role}`);
  context.setDefaultTimeout(PATIENCE_MS);
  const page = await context.newPage();
  await page.goto(ready.http);
  await page.getByLabel('E-mail').fill(user.email);
  await page.getByLabel('Password').fill(user.password);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page
    .getByRole('navigation', { name: 'Main' })
    .or(page.getByRole('button', { name: 'Open navigation' }))
    .first()
    .waitFor();
  return page;
}
