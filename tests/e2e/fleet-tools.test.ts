import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { seriousViolations } from '#tests/kit/accessibility.ts';
import { openBrowser, signIn } from '#tests/kit/browser.ts';
import { ask } from '#tests/kit/graphql.ts';
import { demoTenant } from '#tests/kit/shared-platform.ts';

const ready = demoTenant();
const opened = new AsyncDisposableStack();
let browser: Browser;
let page: Page;

beforeAll(async () => {
  browser = opened.use(await openBrowser());
  page = await signIn(await browser.newContext(), ready, 'ADMIN');
});
afterAll(() => opened.disposeAsync());

const dialog = () => page.getByRole('dialog');
const press = (name: string | RegExp) => dialog().getByRole('button', { name }).click();
const row = (name: string) => page.getByRole('row').filter({ hasText: name });

async function newGroup(key: string): Promise<void> {
  await page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: 'Groups' }).click();
  await page.getByRole('heading', { level: 1, name: 'Groups', exact: true }).waitFor();
  await page.getByRole('button', { name: 'New group' }).first().click();
  await dialog().getByLabel('Key').fill(key);
}

it('groups devices one by one, and tells of keys that are none', async () => {
  await newGroup('pilots');
  await press('Save');
  await page.getByText('No device is in this group').waitFor();
  await page.getByRole('button', { name: 'Add devices' }).click();
  await dialog().getByLabel('Keys of devices').fill('loco-01, nowhere');
  await press('Add');
  await dialog()
    .getByText(/1 of these keys is no device/)
    .waitFor();
  expect(await seriousViolations(page)).toEqual([]);
  await dialog().getByLabel('Keys of devices').fill('loco-02\nloco-03');
  await press('Add');
  await row('loco-03').waitFor();
  await row('loco-01')
    .getByRole('button', { name: /Take .* out of the group/ })
    .click();
  await page.getByText(/is not in pilots any more/).waitFor();
  await page.getByText('2 devices, chosen one by one').waitFor();
  expect(await seriousViolations(page)).toEqual([]);
});

it('shows of all devices those of a group, and those of a template', async () => {
  await page.goto(`${ready.http}/devices`);
  await row('loco-01').waitFor();
  await page.getByRole('button', { name: 'Group', exact: true }).click();
  await page.getByRole('menuitemcheckbox', { name: 'pilots' }).click();
  await page.waitForURL(/group=pilots/);
  await page.keyboard.press('Escape');
  await row('loco-01').waitFor({ state: 'detached' });
  await row('loco-02').waitFor();
  await page.getByRole('button', { name: 'Template', exact: true }).click();
  await page.getByRole('menuitemcheckbox', { name: 'GPS tracker' }).click();
  await page.waitForURL(/template=gps-tracker/);
  await page.getByText('No device matches').waitFor();
  expect(await seriousViolations(page)).toEqual([]);
});

it('groups whatever meets conditions, and counts it while they are written', async () => {
  await newGroup('rolling');
  await dialog().getByLabel('Its devices are').selectOption({ label: 'whatever meets some conditions' });
  const preview = dialog().getByTestId('filter-preview');
  await dialog().getByLabel('Text').fill('no such thing');
  await preview.getByText('0 devices match').waitFor();
  await dialog().getByLabel('Text').fill('loco-01');
  await preview.getByText('1 device matches').waitFor();
  expect(await seriousViolations(page)).toEqual([]);
  await press('Save');
  await page.getByText('1 device, text: "loco-01"').waitFor();
  await row('loco-01').waitFor();
  await page.getByRole('button', { name: 'More actions' }).click();
  await page.getByRole('menuitem', { name: 'Delete…' }).click();
  await press('Delete');
  await page.getByRole('heading', { level: 1, name: 'Groups', exact: true }).waitFor();
  await page.getByRole('link', { name: 'pilots' }).waitFor();
});

it('changes many devices after a dry run: some, or all that match', async () => {
  await page.goto(`${ready.http}/devices?q=loco`);
  await row('loco-01').getByRole('checkbox').check();
  await row('loco-02').getByRole('checkbox').check();
  const bar = page.getByRole('group', { name: 'Selected devices' });
  await bar.getByText('2 devices selected').waitFor();
  await bar.getByRole('button', { name: 'Tag…', exact: true }).click();
  await dialog().getByLabel('Tags').fill('checked');
  await press('Dry run');
  await dialog().getByText('2 devices · 2 would change').waitFor();
  expect(await seriousViolations(page)).toEqual([]);
  await press('Change 2 devices');
  await page.getByText('2 devices · 2 changed').waitFor();

  await row('loco-02').getByRole('checkbox').check();
  await bar.getByRole('button', { name: /^Select all/ }).click();
  await bar.getByRole('button', { name: 'Add to group…' }).click();
  await dialog().getByLabel('Group').selectOption({ label: 'pilots' });
  await press('Dry run');
  const tried = (await dialog().getByRole('status').textContent()) ?? '';
  const [, all = '', change = ''] = /(\d+) devices · (\d+) would change/.exec(tried) ?? [];
  expect(Number(change)).toBe(Number(all) - 2);
  await press(/^Change/);
  await page.getByText(`${all} devices · ${change} changed`).waitFor();
});

it('tells many devices to do the same, and says how far they are', async () => {
  await page.goto(`${ready.http}/devices?q=reefer`);
  await row('reefer-01').getByRole('checkbox').check();
  await row('reefer-02').getByRole('checkbox').check();
  const bar = page.getByRole('group', { name: 'Selected devices' });
  await bar.getByRole('button', { name: 'Send a command…' }).click();
  await dialog().getByLabel('Command').fill('blink');
  await dialog().getByLabel('Parameters').fill('{"times": }');
  await press('Dry run');
  await dialog().getByRole('alert').waitFor();
  await dialog().getByLabel('Parameters').fill('{"times": 2}');
  await press('Dry run');
  await dialog().getByText('2 devices · 2 would be told').waitFor();
  expect(await seriousViolations(page)).toEqual([]);
  await press('Tell 2 devices');
  await page.getByText('2 of 2 devices · 2 done').waitFor();
  await page.getByRole('button', { name: 'Dismiss' }).click();
});

it('tells in one line of time what happened to a device', async () => {
  const { http, graphql, apiKey } = ready;
  const { device } = await ask<{ device: { id: string } }>(
    graphql,
    apiKey,
    '{ device(by: { key: "loco-01" }) { id } }',
    {},
  );
  const change = 'mutation ($id: ID!) { deviceUpdate(input: { id: $id, model: "Mark 2" }) { __typename } }';
  await ask(graphql, apiKey, change, device);
  await page.goto(`${http}/devices/loco-01/timeline`);
  await page.locator('[data-kind=PRESENCE]').first().waitFor();
  await page.locator('[data-kind=AUDIT]').getByText('Changed a device').first().waitFor();
  expect(await seriousViolations(page)).toEqual([]);
  await page.getByRole('button', { name: 'Kind' }).click();
  await page.getByRole('menuitemcheckbox', { name: 'Modules' }).click();
  await page.keyboard.press('Escape');
  await page.getByText('Nothing happened').waitFor();
});
