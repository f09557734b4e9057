import { connectAsync, type MqttClient } from 'mqtt';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { seriousViolations } from '#tests/kit/accessibility.ts';
import { openBrowser, signIn } from '#tests/kit/browser.ts';
import { ask } from '#tests/kit/graphql.ts';
import { ownTenant } from '#tests/kit/shared-platform.ts';
import { until } from '#tests/kit/wait.ts';

const ready = ownTenant(import.meta.filename);
const opened = new AsyncDisposableStack();
let browser: Browser;
let page: Page;

beforeAll(async () => {
  browser = opened.use(await openBrowser());
  page = await signIn(await browser.newContext(), ready, 'ENGINEER');
});
afterAll(() => opened.disposeAsync());

interface Heard {
  readonly topic: string;
  readonly message: Record<string, unknown>;
}

/** A device's own program: a real MQTT client that hears what it is told. */
interface Program extends AsyncDisposable {
  readonly heard: readonly Heard[];
  say(topic: string, message: unknown): Promise<void>;
  /** The message on a topic that comes next, or was there already. */
  hear(topic: string): Promise<Record<string, unknown>>;
}

async function openProgram(key: string, token: string): Promise<Program> {
  const client: MqttClient = await connectAsync(ready.mqtt, {
    ...{ clientId: key, username: `${ready.tenant.slug}/${key}`, password: token, protocolVersion: 5 },
    reconnectPeriod: 0,
  });
  const base = `tenant/${ready.tenant.slug}/device/${key}/`;
  const heard: Heard[] = [];
  client.on('message', (topic, payload) => {
    heard.push({ topic: topic.slice(base.length), message: JSON.parse(payload.toString()) });
  });
  await client.subscribeAsync([`${base}commands`, `${base}shadow/desired`], { qos: 1 });
  return {
    heard,
    say: async (topic, message) => {
      await client.publishAsync(base + topic, JSON.stringify(message), { qos: 1 });
    },
    hear: (wanted) => until(wanted, () => heard.find(({ topic }) => topic === wanted)?.message),
    [Symbol.asyncDispose]: () => client.endAsync(true),
  };
}

const tab = async (name: string) => {
  await page.getByRole('navigation', { name: 'Device' }).getByRole('link', { name }).click();
};
const entry = (list: string, name: string) =>
  page.getByRole('region', { name: list }).getByRole('group', { name, exact: true });

/** Makes a template of a boiler with a slot for a probe and a command with a parameter. */
async function makeTemplate(): Promise<void> {
  await page.goto(`${ready.http}/new-template`);
  await page.getByLabel('Key', { exact: true }).fill('boiler');
  await page.getByLabel('Name', { exact: true }).fill('Boiler');
  await page.getByRole('button', { name: 'Add a metric' }).click();
  await page.keyboard.type('pressure');
  await entry('Metrics', 'pressure').getByLabel('Unit').fill('bar');
  await page.getByRole('button', { name: 'Add a command' }).click();
  await page.keyboard.type('heat');
  const params = {
    ...{ type: 'object', required: ['minutes'], additionalProperties: false },
    properties: { minutes: { type: 'integer', minimum: 1, maximum: 60 }, mode: { enum: ['eco', 'full'] } },
  };
  await entry('Commands', 'heat').getByLabel('Parameters').fill(JSON.stringify(params));
  await page.getByRole('button', { name: 'Add a slot' }).click();
  await page.keyboard.type('probe');
  await entry('Slots', 'probe').getByLabel('Templates that fit').fill('temperature-probe');
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByRole('heading', { level: 1, name: 'Boiler' }).waitFor();
}

/** Makes a device of the template; its token. */
async function makeDevice(key: string): Promise<string> {
  await page.goto(`${ready.http}/new-device?template=boiler`);
  await page.getByLabel('Key', { exact: true }).fill(key);
  await page.getByRole('button', { name: 'Create device' }).click();
  const token = await page.getByTestId('device-token').textContent();
  await page.goto(`${ready.http}/devices/${key}`);
  return token?.trim() ?? '';
}

/** Puts a probe into the slot of the device, which calls its temperature `t1` and counts it in tenths. */
async function installProbe(): Promise<void> {
  await tab('Modules & sensors');
  await page.getByRole('button', { name: /Install a module into/ }).click();
  const drawer = page.getByRole('dialog');
  await drawer.getByLabel('Template').selectOption({ label: 'Temperature probe' });
  const temperature = drawer.getByRole('group', { name: 'Temperature', exact: true });
  await temperature.getByLabel('The device sends').fill('t1');
  await temperature.getByLabel('It is stored as').fill('pressure');
  await temperature.getByLabel('Scale').fill('0.1');
  await drawer.getByRole('button', { name: 'Install' }).click();
  await temperature.getByText(/taken/).waitFor();
  expect(await seriousViolations(page)).toEqual([]);
  await temperature.getByLabel('It is stored as').fill('flow.temperature');
  await drawer.getByRole('button', { name: 'Install' }).click();
  await page.getByRole('region', { name: 'Modules' }).getByText('Temperature probe').waitFor();
}

const sensor = (metric: string) =>
  page.getByRole('region', { name: 'Sensors' }).locator(`[data-metric="${metric}"]`);

async function desire(desired: unknown): Promise<void> {
  await tab('Shadow');
  const panel = page.getByRole('region', { name: 'Desired', exact: true });
  await panel
    .getByRole('button', { name: /^(Edit|Say what it should be)$/ })
    .last()
    .click();
  await page.getByLabel('Desired state').fill(JSON.stringify(desired));
  await page.getByRole('button', { name: 'Save' }).click();
  await page
    .getByText(/is desired now/)
    .first()
    .waitFor();
}
const shadowIs = (status: string) =>
  page.locator(`[data-testid=shadow-status][data-status=${status}]`).waitFor();

async function sendHeat(minutes: string): Promise<void> {
  await tab('Commands');
  await page.getByLabel('Command', { exact: true }).selectOption({ label: 'heat' });
  await page.getByLabel('minutes').fill(minutes);
  await page.getByLabel('mode').selectOption({ label: 'eco' });
  await page.getByRole('button', { name: 'Send', exact: true }).click();
}
const commandIs = (status: string) =>
  page.getByRole('region', { name: 'Commands' }).locator(`[data-status=${status}]`).first().waitFor();

describe('a device', () => {
  it('is modelled, connected, seen, told and heard, all from the console', async () => {
    await makeTemplate();
    const token = await makeDevice('boiler-1');
    await installProbe();
    await using program = await openProgram('boiler-1', token);
    await program.say('telemetry', { metrics: { t1: 615, pressure: 1.5, loose: true } });
    await sensor('flow.temperature').getByText('61.5').waitFor();
    await sensor('loose').getByText('Unmodelled').waitFor();
    await program.say('telemetry', { metrics: { t1: 620, pressure: 1.5 } });
    await sensor('flow.temperature').getByText('62').waitFor();
    expect(await seriousViolations(page)).toEqual([]);

    await desire({ mode: 'eco', setpoint: 55 });
    await shadowIs('NEVER_REPORTED');
    expect(await program.hear('shadow/desired')).toMatchObject({
      desired: { mode: 'eco', setpoint: 55 },
      version: 1,
    });
    await program.say('shadow/reported', { reported: { mode: 'eco', setpoint: 50 }, version: 1 });
    await shadowIs('DIVERGED');
    await page.getByRole('region', { name: 'Not as desired' }).getByText('setpoint').waitFor();
    expect(await seriousViolations(page)).toEqual([]);
    await program.say('shadow/reported', { reported: { mode: 'eco', setpoint: 55 }, version: 1 });
    await shadowIs('IN_SYNC');
    await page.getByRole('region', { name: 'History' }).getByText('by Emil Engineer').waitFor();

    await sendHeat('90');
    await page.getByText('At most 60.').waitFor();
    await page.getByLabel('minutes').fill('9');
    await page.getByRole('button', { name: 'Send', exact: true }).click();
    const { command_id, ...told } = await program.hear('commands');
    expect(told).toMatchObject({ type: 'heat', params: { minutes: 9, mode: 'eco' } });
    await commandIs('SENT');
    await program.say('commands/ack', { command_id, status: 'accepted' });
    await commandIs('ACKNOWLEDGED');
    await program.say('commands/ack', { command_id, status: 'ok', details: { reached: 55 } });
    await commandIs('SUCCEEDED');
    await page.getByText('Sent by Emil Engineer').first().waitFor();
    const way = page.getByRole('list', { name: 'What happened' }).first();
    for (const step of ['Somebody sent it', 'The device begins', '{"reached":55}'])
      await way.getByText(step).waitFor();
    expect(await seriousViolations(page)).toEqual([]);
  });

  it('that is offline at first finds everything when it comes', async () => {
    const token = await makeDevice('boiler-2');
    await installProbe();
    await desire({ mode: 'full' });
    await shadowIs('NEVER_REPORTED');
    await sendHeat('5');
    await commandIs('QUEUED');
    await page.getByText('The device is not connected.', { exact: false }).waitFor();

    await using program = await openProgram('boiler-2', token);
    const { command_id } = await program.hear('commands');
    expect(await program.hear('shadow/desired')).toMatchObject({ desired: { mode: 'full' }, version: 1 });
    await commandIs('SENT');
    await program.say('commands/ack', { command_id, status: 'ok' });
    await commandIs('SUCCEEDED');
    await program.say('shadow/reported', { reported: { mode: 'full' }, version: 1 });
    await tab('Shadow');
    await shadowIs('IN_SYNC');
    await program.say('telemetry', { metrics: { t1: 402 } });
    await tab('Modules & sensors');
    await sensor('flow.temperature').getByText('40.2').waitFor();
    expect(program.heard.filter(({ topic }) => topic === 'commands')).toHaveLength(1);
  });
});

describe('what is desired', () => {
  it('is not overwritten by whoever began before somebody else’s change, and their text is kept', async () => {
    await makeDevice('boiler-3');
    await desire({ mode: 'eco' });
    await page
      .getByRole('region', { name: 'Desired', exact: true })
      .getByRole('button', { name: 'Edit' })
      .click();
    const text = page.getByLabel('Desired state');
    await text.fill('{"mode":"mine"}');
    const { device } = await ask<{ device: { id: string } }>(
      ...([ready.graphql, ready.apiKey, '{ device(by: { key: "boiler-3" }) { id } }', {}] as const),
    );
    const change = 'mutation ($input: ShadowUpdateInput!) { shadowUpdate(input: $input) { __typename } }';
    const input = { deviceId: device.id, desired: { mode: 'theirs' }, expectedVersion: 1 };
    await ask(ready.graphql, ready.apiKey, change, { input });
    const meanwhile = page.getByRole('region', { name: 'Changed meanwhile' });
    await meanwhile.getByText('theirs').waitFor();
    expect(await text.inputValue()).toBe('{"mode":"mine"}');
    expect(await page.getByRole('button', { name: 'Save' }).isDisabled()).toBe(true);
    expect(await seriousViolations(page)).toEqual([]);
    await meanwhile.getByRole('button', { name: 'Go on with my text' }).click();
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByText('Version 3 is desired now.').waitFor();
    await page.locator('[data-side=DESIRED][data-version="2"]').locator('summary').click();
    await page.getByRole('button', { name: 'Desire this again' }).first().waitFor();
  });
});
