import { readFile } from 'node:fs/promises';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { seriousViolations } from '#tests/kit/accessibility.ts';
import { openBrowser, signIn } from '#tests/kit/browser.ts';
import { demoTenant } from '#tests/kit/shared-platform.ts';

const REASON = 'ticket 4711: the contract ends';
const ready = demoTenant();
const opened = new AsyncDisposableStack();
let browser: Browser;

beforeAll(async () => {
  browser = opened.use(await openBrowser());
});
afterAll(() => opened.disposeAsync());

/** With OPERATOR_SHOTS, a picture of the page in each theme. */
async function shoot(page: Page, name: string): Promise<void> {
  const folder = process.env['OPERATOR_SHOTS'];
  if (!folder) return;
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme });
    for (const [width, height] of [
      [1440, 900],
      [375, 800],
    ] as const) {
      await page.setViewportSize({ width, height });
      await page.screenshot({ path: `${folder}/${name}-${colorScheme}-${width}.png` });
    }
  }
  await page.setViewportSize({ width: 1280, height: 720 });
}

describe('the pages of an operator', () => {
  it('ask why, then let a tenant be made, suspended, deleted and kept, and show who looked', async () => {
    const page = await signIn(await browser.newContext(), ready, 'PLATFORM_OPERATOR');
    await page.getByRole('link', { name: 'Platform' }).click();
    await shoot(page, 'reason');
    expect(await seriousViolations(page)).toEqual([]);
    await page.getByLabel('Why do you look?').fill(REASON);
    await page.getByRole('button', { name: 'Continue' }).click();
    const acme = page.getByRole('row').filter({ hasText: ready.tenant.name });
    await acme.getByText('Active').waitFor();
    await page.getByText(REASON).waitFor();

    await page.getByRole('button', { name: 'New tenant' }).click();
    await page.getByLabel('Name', { exact: true }).fill('Borealis');
    await page.getByLabel('Slug').fill('borealis');
    await page.getByRole('button', { name: 'Create tenant' }).click();
    const made = page.getByRole('row').filter({ hasText: 'Borealis' });
    await made.getByText('Active').waitFor();
    const choose = async (item: string) => {
      await made.getByRole('button', { name: 'Actions for Borealis' }).click();
      await page.getByRole('menuitem', { name: item }).click();
    };
    await choose('Suspend…');
    await page.getByRole('button', { name: 'Suspend', exact: true }).click();
    await made.getByText('Suspended').waitFor();
    await choose('Delete…');
    await page.getByRole('button', { name: 'Delete', exact: true }).click();
    await page.getByRole('alert').getByText('Type borealis').waitFor();
    await shoot(page, 'delete');
    expect(await seriousViolations(page)).toEqual([]);
    await page.getByLabel('Type borealis to confirm').fill('borealis');
    await page.getByRole('button', { name: 'Delete', exact: true }).click();
    await made.getByText('Deleting').waitFor();
    await shoot(page, 'tenants');
    expect(await seriousViolations(page)).toEqual([]);
    await choose('Keep it after all…');
    await page.getByRole('button', { name: 'Keep it' }).click();
    await made.getByText('Suspended').waitFor();

    const tabs = page.getByRole('navigation', { name: 'Platform' });
    await tabs.getByRole('link', { name: 'Devices' }).click();
    await page.getByLabel('Key, name or serial number').fill('first-dev');
    await page.getByRole('row').filter({ hasText: 'first-device' }).getByText(ready.tenant.name).waitFor();
    await tabs.getByRole('link', { name: 'Streams' }).click();
    await page
      .getByRole('region', { name: 'Streams' })
      .getByRole('cell', { name: 'ingest-workers' })
      .first()
      .waitFor();
    await shoot(page, 'streams');
    expect(await seriousViolations(page)).toEqual([]);
    await tabs.getByRole('link', { name: 'Log' }).click();
    await page.getByRole('row').filter({ hasText: 'Suspended a tenant' }).getByText('borealis').waitFor();
    await shoot(page, 'log');
    expect(await seriousViolations(page)).toEqual([]);
    await page.getByRole('button', { name: 'End' }).click();
    await page.getByLabel('Why do you look?').waitFor();
  });

  it('are for nobody else, and a tenant’s admin downloads the log of it', async () => {
    const page = await signIn(await browser.newContext({ acceptDownloads: true }), ready, 'ADMIN');
    expect(await page.getByRole('link', { name: 'Platform' }).count()).toBe(0);
    await page.goto(`${ready.http}/operator/tenants`);
    await page.getByText('For operators of the platform').waitFor();
    await page.getByRole('link', { name: 'Audit log' }).click();
    await page.getByRole('button', { name: 'Download' }).click();
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('menuitem', { name: /JSON lines/ }).click(),
    ]);
    expect(download.suggestedFilename()).toMatch(/^audit-acme-.*\.jsonl$/);
    const lines = (await readFile(await download.path(), 'utf8')).trimEnd().split('\n').filter(Boolean);
    for (const line of lines) expect(JSON.parse(line)).toHaveProperty('action');
    await page.getByRole('button', { name: 'Refresh' }).click();
    await page.getByText('Downloaded this log').waitFor();
  });
});
