import type { Browser, Locator, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { seriousViolations } from '#tests/kit/accessibility.ts';
import { openBrowser, signIn } from '#tests/kit/browser.ts';
import { ownTenant } from '#tests/kit/shared-platform.ts';

const ready = ownTenant(import.meta.filename);
const opened = new AsyncDisposableStack();
let browser: Browser;

beforeAll(async () => {
  browser = opened.use(await openBrowser());
});
afterAll(() => opened.disposeAsync());

/** What closes gives the focus back a moment after it is gone. */
const isFocused = (page: Page, button: Locator) => button.and(page.locator(':focus')).waitFor();

describe('a menu', () => {
  it('opens by keyboard on its first item, the first time and every other, and gives the focus back', async () => {
    await using context = await browser.newContext();
    const page = await signIn(context, ready, 'ADMIN');
    const account = page.getByRole('button', { name: /^Account/ });
    for (const key of ['Enter', 'ArrowDown', 'Enter']) {
      await account.press(key);
      const first = page.getByRole('menuitemradio', { name: 'Light' });
      await first.waitFor();
      await page.waitForFunction(() => document.activeElement?.textContent === 'Light');
      expect(await account.getAttribute('aria-expanded')).toBe('true');
      expect(await seriousViolations(page)).toEqual([]);
      await page.keyboard.press('Escape');
      await first.waitFor({ state: 'detached' });
      await isFocused(page, account);
    }
  });

  it('says so when it does not load', async () => {
    await using context = await browser.newContext();
    await context.route('**/assets/menu-parts-*', (route) => route.abort());
    const page = await signIn(context, ready, 'ADMIN');
    await page.getByRole('button', { name: 'Freshness' }).click();
    await page.getByText('The menu did not load').waitFor();
  });

  it('filters as soon as somebody chooses', async () => {
    await using context = await browser.newContext();
    const page = await signIn(context, ready, 'ADMIN');
    await page.getByRole('button', { name: 'Freshness' }).click();
    await page.getByRole('menuitemcheckbox', { name: 'Silent' }).click();
    await page.getByRole('menuitem', { name: 'Clear' }).waitFor();
    await page.waitForURL(/freshness=silent/i);
  });
});

describe('a search', () => {
  it('does not call back somebody who has left for a page that is still loading', async () => {
    await using context = await browser.newContext();
    const page = await signIn(context, ready, 'ADMIN');
    const devices = page.getByRole('table', { name: 'Devices' });
    const link = devices.getByRole('link').first();
    const path = await link.getAttribute('href');
    await context.route('**/assets/device-page-*', async (route) => {
      await page.waitForTimeout(1_000);
      await route.continue();
    });
    await page.evaluate(() => {
      // Faster than a person, so that the search is surely not taken up yet.
      const input = document.querySelector<HTMLInputElement>('input[type=search]');
      Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, 'value')?.set?.call(input, 'd');
      input?.dispatchEvent(new Event('input', { bubbles: true }));
      document.querySelector<HTMLElement>('[role=table] a')?.click();
    });
    await page.getByRole('navigation', { name: 'Device' }).waitFor();
    expect(new URL(page.url()).pathname).toBe(path);
  });
});

describe('a narrow page', () => {
  it('has its navigation behind a button, which gets the focus back', async () => {
    await using context = await browser.newContext({ viewport: { width: 375, height: 720 } });
    const page = await signIn(context, ready, 'ADMIN');
    const button = page.getByRole('button', { name: 'Open navigation' });
    await button.click();
    await page.getByRole('dialog', { name: 'Navigation' }).getByRole('link', { name: 'Members' }).waitFor();
    expect(await seriousViolations(page)).toEqual([]);
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    await isFocused(page, button);
  });
});
