import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { seriousViolations } from '#tests/kit/accessibility.ts';
import { openBrowser, signIn } from '#tests/kit/browser.ts';
import { ownTenant } from '#tests/kit/shared-platform.ts';

const ready = ownTenant(import.meta.filename);
const opened = new AsyncDisposableStack();
let browser: Browser;
let page: Page;

beforeAll(async () => {
  browser = opened.use(await openBrowser());
  page = await signIn(await browser.newContext(), ready, 'ENGINEER');
});
afterAll(() => opened.disposeAsync());

const panel = (name: string) => page.getByRole('region', { name, exact: true });
const dialog = () => page.getByRole('dialog');
const press = (name: string) => dialog().getByRole('button', { name, exact: true }).click();
const device = ready.device.key;

it('says by hand what a device is made of, and takes it back', async () => {
  await page.goto(`${ready.http}/devices/${device}/parts`);
  await panel('Sensors').getByRole('button', { name: 'Add sensor' }).click();
  await dialog().getByLabel('Metric').fill('1st');
  await press('Save');
  await dialog()
    .getByText(/Begin with a letter/)
    .waitFor();
  await dialog().getByLabel('Metric').fill('level');
  await dialog().getByLabel('Unit').fill('m');
  await dialog().getByLabel('Least').fill('5');
  await dialog().getByLabel('Greatest').fill('1');
  await press('Save');
  await dialog().locator('[aria-invalid=true]').first().waitFor();
  expect(await seriousViolations(page)).toEqual([]);
  await dialog().getByLabel('Greatest').fill('9');
  await press('Save');
  const level = panel('Sensors').locator('[data-metric=level]');
  await level.getByText('5 to 9').waitFor();
  await level.getByRole('button', { name: /^Actions/ }).click();
  await page.getByRole('menuitem', { name: 'Edit…' }).click();
  await dialog().getByLabel('Name').fill('Tank level');
  await dialog().getByLabel('Counts').uncheck();
  await press('Save');
  await panel('Sensors').getByRole('button', { name: 'Show 1 inactive' }).click();
  await level.getByRole('button', { name: 'Actions for Tank level' }).click();
  await page.getByRole('menuitem', { name: 'Forget…' }).click();
  await press('Forget');
  await level.waitFor({ state: 'detached' });

  await panel('Metric map').getByRole('button', { name: 'Rename or scale metrics' }).click();
  await dialog().getByLabel('The device sends').fill('t1');
  await dialog().getByLabel('It is stored as').fill('temperature');
  await dialog().getByLabel('Scale').fill('0');
  await press('Save');
  await dialog().getByText('A number other than 0.').waitFor();
  await dialog().getByLabel('Scale').fill('0.1');
  await press('Save');
  await panel('Metric map').getByText('× 0.1').waitFor();

  await panel('Transports').getByRole('button', { name: 'Add transport' }).click();
  await dialog().getByLabel('Protocol').selectOption({ label: 'LoRaWAN' });
  await dialog().getByLabel('Settings').fill('{"devEui": "70B3D5"}');
  await press('Save');
  await panel('Transports').getByText('70B3D5').waitFor();
  await panel('Transports').getByText('First').waitFor();

  await panel('Gateway').getByRole('button', { name: 'Set a gateway' }).click();
  await dialog().getByLabel('Key of the gateway').fill(device);
  await press('Save');
  await dialog().locator('[aria-invalid=true]').waitFor();
  await dialog().getByLabel('Key of the gateway').fill('loco-01');
  await press('Save');
  await panel('Gateway')
    .getByText(/speaks for this device/)
    .waitFor();
  expect(await seriousViolations(page)).toEqual([]);
});

it('takes a command back that waits for its device', async () => {
  await page.goto(`${ready.http}/devices/${device}/commands`);
  await page.getByLabel('Command', { exact: true }).fill('reboot');
  await page.getByLabel('Parameters').fill('{"soft": true}');
  await page.getByRole('button', { name: 'Send', exact: true }).click();
  const command = panel('Commands').locator('[data-command]').first();
  await command.getByText('Waiting').waitFor();
  await command.getByRole('button', { name: 'Call it off…' }).click();
  await press('Call it off');
  await command.getByText('Called off').waitFor();
  expect(await seriousViolations(page)).toEqual([]);
});

it('selects rows by keyboard', async () => {
  await page.goto(`${ready.http}/devices`);
  await page.getByRole('checkbox').first().waitFor();
  await page.keyboard.press('j');
  await page.getByRole('row').nth(1).getByRole('link').and(page.locator(':focus')).waitFor();
  await page.keyboard.press('x');
  await page.getByText('1 device selected').waitFor();
});
