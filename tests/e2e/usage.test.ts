import { source } from 'axe-core';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openBrowser, signIn } from '#tests/kit/browser.ts';
import { demoTenant } from '#tests/kit/shared-platform.ts';

const ready = demoTenant();
const opened = new AsyncDisposableStack();
let browser: Browser;

beforeAll(async () => {
  browser = opened.use(await openBrowser());
});
afterAll(() => opened.disposeAsync());

async function violations(page: Page): Promise<string[]> {
  await page.evaluate(source);
  const found = (await page.evaluate('axe.run().then((result) => result.violations)')) as { id: string }[];
  return found.map(({ id }) => id);
}

it('shows everybody of a tenant what its devices send and may send, and follows it', async () => {
  const page = await signIn(await browser.newContext(), ready, 'ENGINEER');
  await page.getByRole('link', { name: 'Limits and usage' }).click();
  await page.getByRole('heading', { level: 1, name: 'Limits and usage' }).waitFor();
  const sent = page.getByRole('img', { name: /messages in the last hour/ });
  await sent.waitFor();
  const before = await sent.getAttribute('aria-label');
  await page.getByRole('row', { name: /Messages a second 50,000 1,000/ }).waitFor();
  expect(await violations(page)).toEqual([]);
  await expect
    .poll(() => sent.getAttribute('aria-label'), { timeout: 60_000, interval: 500 })
    .not.toBe(before);
  await page.context().close();
});
