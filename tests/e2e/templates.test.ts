import { readFileSync } from 'node:fs';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { seriousViolations } from '#tests/kit/accessibility.ts';
import { openBrowser, signIn } from '#tests/kit/browser.ts';
import { ask } from '#tests/kit/graphql.ts';
import { ownTenant } from '#tests/kit/shared-platform.ts';

const ready = ownTenant(import.meta.filename);
const opened = new AsyncDisposableStack();
let browser: Browser;

beforeAll(async () => {
  browser = opened.use(await openBrowser());
});
afterAll(() => opened.disposeAsync());

const entry = (page: Page, list: string, name: string) =>
  page.getByRole('region', { name: list }).getByRole('group', { name, exact: true });
const save = (page: Page) => page.getByRole('button', { name: 'Save' }).click();

async function makeMeter(page: Page): Promise<void> {
  await page.goto(`${ready.http}/new-template`);
  await page.getByLabel('Key', { exact: true }).fill('hall-meter');
  await page.getByLabel('Name', { exact: true }).fill('Hall meter');
  await page.getByRole('button', { name: 'Add a metric' }).click();
  await save(page);
  await entry(page, 'Metrics', 'metric 1').getByText('Needed.').waitFor();
  await page.keyboard.type('voltage');
  const voltage = entry(page, 'Metrics', 'voltage');
  await voltage.getByLabel('Unit').fill('V');
  await voltage.getByLabel('Greatest').fill('900');
  await voltage.getByLabel('Required').check();
  await page.getByRole('button', { name: 'Add a metric' }).click();
  await page.keyboard.type('mode');
  await entry(page, 'Metrics', 'mode').getByLabel('Type').selectOption({ label: 'One of' });
  await entry(page, 'Metrics', 'mode').getByLabel('Values').fill('eco, boost');
  await page.getByRole('button', { name: 'Add a command' }).click();
  await page.keyboard.type('reboot');
  await entry(page, 'Commands', 'reboot').getByLabel('Parameters').fill('{"type": "object"}');
  await page.getByRole('button', { name: 'Add a slot' }).click();
  await page.keyboard.type('probe');
  await entry(page, 'Slots', 'probe').getByLabel('Templates that fit').fill('no-such-template');
  await page.getByRole('button', { name: 'Add a transport' }).click();
  expect(await seriousViolations(page)).toEqual([]);
  await save(page);
  await page.getByText(/no-such-template/).waitFor();
  await entry(page, 'Slots', 'probe').getByLabel('Templates that fit').fill('temperature-probe');
  await save(page);
  await page.getByRole('heading', { level: 1, name: 'Hall meter' }).waitFor();
}

async function makeDevice(page: Page, key: string): Promise<void> {
  await page.goto(`${ready.http}/new-device`);
  await page.getByLabel('Key', { exact: true }).fill(key);
  await page.getByRole('button', { name: 'Choose a template' }).click();
  await page.keyboard.type('hall');
  await page
    .getByRole('dialog')
    .getByRole('button', { name: /Hall meter/ })
    .click();
  await page
    .getByRole('region', { name: /What appears/ })
    .getByText('voltage (V)')
    .waitFor();
  expect(await seriousViolations(page)).toEqual([]);
  await page.getByRole('button', { name: 'Create device' }).click();
  await page.getByTestId('device-token').waitFor();
  await page.getByText('{"voltage": ').waitFor();
}

describe('a template', () => {
  it('is made, used, changed under a new version, compared, and takes its devices along', async () => {
    const page = await signIn(await browser.newContext(), ready, 'ENGINEER');
    await makeMeter(page);
    await page.getByText('eco, boost').waitFor();
    await page.getByText('Takes temperature-probe').waitFor();
    expect(await seriousViolations(page)).toEqual([]);
    await makeDevice(page, 'hall-1');

    await page.goto(`${ready.http}/templates/hall-meter`);
    await page.getByRole('link', { name: 'Edit', exact: true }).click();
    await page.getByText(/what you change becomes version 2/).waitFor();
    await entry(page, 'Metrics', 'voltage').getByLabel('Greatest').fill('600');
    const leave = page.getByRole('dialog', { name: 'Leave without saving?' });
    await page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: 'Devices' }).click();
    await leave.waitFor();
    expect(await seriousViolations(page)).toEqual([]);
    await leave.getByRole('button', { name: 'Cancel' }).click();
    await page.evaluate(() => history.back());
    await leave.getByRole('button', { name: 'Cancel' }).click();
    expect(new URL(page.url()).pathname).toBe('/templates/hall-meter/edit');
    await page.getByRole('button', { name: 'Remove mode' }).click();
    await page.getByRole('button', { name: 'Add a metric' }).click();
    await page.keyboard.type('power');
    await entry(page, 'Metrics', 'power').getByLabel('Required').check();
    await save(page);
    await page.getByText('version 2 · 1 device').waitFor();

    const tabs = page.getByRole('navigation', { name: 'Template' });
    await tabs.getByRole('link', { name: 'Versions' }).click();
    const changes = page.getByRole('region', { name: 'Changes from version 1 to 2' });
    await changes.getByText('values above 600 are no longer valid').waitFor();
    const told = (await changes.textContent()) ?? '';
    for (const change of ['voltage changed', 'before: 900', 'after: 600', 'mode gone', 'power new'])
      expect(told).toContain(change);
    expect(await seriousViolations(page)).toEqual([]);

    await tabs.getByRole('link', { name: 'Migration' }).click();
    const step = page.getByRole('region', { name: 'From version 1 to 2' });
    await step.getByRole('link', { name: 'hall-1' }).waitFor();
    await step.getByText('Sensors that appear').waitFor();
    expect(await seriousViolations(page)).toEqual([]);
    await step.getByRole('button', { name: 'Move 1 device' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Move', exact: true }).click();
    await page.getByText('1 device moved').waitFor();
    await page.getByText('Nothing to move').waitFor();
    await page.context().close();

    const admin = await signIn(await browser.newContext(), ready, 'ADMIN');
    await admin.goto(`${ready.http}/settings/audit`);
    await admin.getByRole('button', { name: 'Moved devices to another version of their template' }).click();
    const logged = admin.getByRole('dialog');
    await logged.getByText('"templateKey": "hall-meter"').waitFor();
    const values = (await logged.textContent()) ?? '';
    for (const value of ['1 device', '"toVersion": 2', '"changed": 1']) expect(values).toContain(value);
    expect(await logged.getByRole('link', { name: '1 device' }).count()).toBe(0);
    expect(await seriousViolations(admin)).toEqual([]);
    await admin.context().close();
  });

  it('takes more devices along than go at once, by a job that says how far it is', async () => {
    const made = await ask<{ templateCreate: { template: { id: string } } }>(
      ready.graphql,
      ready.apiKey,
      `mutation { templateCreate(input: { key: "crowd", name: "Crowd", category: SENSOR, definition: {} }) {
        ... on TemplateCreateSuccess { template { id } } } }`,
    );
    for (let from = 0; from < 125; from += 25) {
      const create = (n: number) =>
        `d${n}: deviceCreate(input: { key: "crowd-${from + n}", templateKey: "crowd", withToken: false }) { __typename }`;
      await ask(
        ready.graphql,
        ready.apiKey,
        `mutation { ${Array.from({ length: 25 }, (_, n) => create(n))} }`,
      );
    }
    await ask(
      ready.graphql,
      ready.apiKey,
      `mutation ($id: ID!) { templateUpdate(input: { id: $id, expectedVersion: 1, definition: { metrics: [
        { key: "level", name: "Level", type: FLOAT, required: true }] } }) { __typename } }`,
      { id: made.templateCreate.template.id },
    );
    const page = await signIn(await browser.newContext(), ready, 'ENGINEER');
    await page.goto(`${ready.http}/templates/crowd/migration`);
    await page.getByRole('button', { name: 'Move 125 devices' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Move', exact: true }).click();
    await page.getByText('125 devices moved').waitFor();
    await page.getByText('Nothing to move').waitFor();
    expect(await seriousViolations(page)).toEqual([]);
    await page.context().close();
  });

  it('cannot be deleted while a device is made of it; its copy can', async () => {
    const page = await signIn(await browser.newContext(), ready, 'ENGINEER');
    await page.goto(`${ready.http}/templates/hall-meter`);
    const remove = async () => {
      await page.getByRole('button', { name: 'More actions' }).click();
      await page.getByRole('menuitem', { name: 'Delete…' }).click();
      await page.getByRole('button', { name: 'Delete', exact: true }).click();
    };
    await remove();
    await page
      .getByRole('alert')
      .getByText(/in use by 1 device/)
      .waitFor();
    await page.keyboard.press('Escape');

    await page.getByRole('button', { name: 'Copy', exact: true }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Copy', exact: true }).click();
    await page.getByRole('heading', { level: 1, name: 'Hall meter (copy)' }).waitFor();
    await remove();
    await page.getByText('Hall meter (copy) is deleted.').waitFor();
    await page.getByRole('heading', { level: 1, name: 'Templates' }).waitFor();
    await page.getByRole('link', { name: 'Hall meter', exact: true }).waitFor();
    expect(await page.getByRole('link', { name: 'Hall meter (copy)' }).count()).toBe(0);
    await page.context().close();
  });

  it('leaves as a file and comes back under another key, saying the same', async () => {
    const page = await signIn(await browser.newContext(), ready, 'ENGINEER');
    const exported = async (key: string): Promise<string> => {
      await page.goto(`${ready.http}/templates/${key}`);
      const download = page.waitForEvent('download');
      await page.getByRole('button', { name: 'Export' }).click();
      return (await download).path();
    };
    const file = await exported('hall-meter');
    await page.goto(`${ready.http}/templates`);
    await page.getByRole('button', { name: 'Import' }).click();
    const dialog = page.getByRole('dialog');
    const wrong = { ...JSON.parse(readFileSync(file, 'utf8')), definition: { metrics: [{}], unti: 1 } };
    await dialog.getByLabel('Document').fill(JSON.stringify(wrong));
    await dialog.getByRole('button', { name: 'Import' }).click();
    for (const sentence of ['definition.metrics.0.key is missing.', 'definition.unti is not known here.'])
      await dialog.getByRole('alert').getByText(sentence).waitFor();
    await dialog.getByLabel('File').setInputFiles(file);
    await dialog.getByRole('button', { name: 'Import' }).click();
    await dialog
      .getByRole('alert')
      .getByText(/hall-meter/)
      .waitFor();
    expect(await seriousViolations(page)).toEqual([]);
    await dialog.getByLabel('Key').fill('hall-meter-2');
    await dialog.getByRole('button', { name: 'Import' }).click();
    await page.getByText('hall-meter-2').first().waitFor();
    const { definition: first } = JSON.parse(readFileSync(file, 'utf8'));
    const { definition: second } = JSON.parse(readFileSync(await exported('hall-meter-2'), 'utf8'));
    expect(second).toEqual(first);
    await page.context().close();
  });
});

describe('the library of templates', () => {
  it('shows a viewer what there is, and nothing that changes it', async () => {
    const page = await signIn(
      await browser.newContext({ viewport: { width: 375, height: 700 } }),
      ready,
      'VIEWER',
    );
    await page.goto(`${ready.http}/templates?source=system&q=gps`);
    await page.getByRole('link', { name: 'GPS tracker' }).click();
    await page.getByRole('heading', { level: 1, name: 'GPS tracker' }).waitFor();
    await page.getByRole('button', { name: 'Export' }).waitFor();
    for (const name of ['Copy', 'More actions'])
      expect(await page.getByRole('button', { name, exact: true }).count()).toBe(0);
    const overflow = await page.evaluate(
      'document.documentElement.scrollWidth - document.documentElement.clientWidth',
    );
    expect(overflow).toBe(0);
    expect(await seriousViolations(page)).toEqual([]);
    await page.context().close();
  });
});
