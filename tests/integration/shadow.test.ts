import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openTestNats } from '#tests/kit/nats.ts';
import { type ProcessName, startProcesses, type TestProcesses } from '#tests/kit/processes.ts';
import { type SeededDevice, seedTenant, type TenantSeed } from '#tests/kit/seed.ts';
import { type OwnDatabase, openOwnDatabase } from '#tests/kit/servers.ts';
import { openShadowed, type ShadowedDevice, type ShadowedOptions } from '#tests/kit/shadowed-device.ts';
import { until } from '#tests/kit/wait.ts';

const opened = new AsyncDisposableStack();
let database: OwnDatabase;
let processes: TestProcesses;
let second: TestProcesses;
let acme: TenantSeed;
let key: string;

beforeAll(async () => {
  database = opened.use(await openOwnDatabase());
  const nats = opened.use(await openTestNats());
  acme = await seedTenant(database.admin, 'acme');
  key = await acme.apiKey('ADMIN');
  const start = (names: readonly ProcessName[]) =>
    startProcesses({ database, natsUrl: nats.url, start: names });
  processes = opened.use(await start(['api', 'gateway', 'ingest', 'relay']));
  second = opened.use(await start(['gateway']));
});
afterAll(() => opened.disposeAsync());

const here = () => `mqtt://127.0.0.1:${processes.mqttPort}`;
const there = () => `mqtt://127.0.0.1:${second.mqttPort}`;
const open = (device: SeededDevice, options?: ShadowedOptions, url = here()) =>
  openShadowed(url, device, options);

async function ask(query: string, variables: Record<string, unknown> = {}) {
  const response = await fetch(`http://127.0.0.1:${processes.httpPort}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${key}` },
    body: JSON.stringify({ query, variables }),
  });
  const { data, errors } = await response.json();
  expect(errors ?? []).toEqual([]);
  return data;
}

async function look({ key: device }: SeededDevice) {
  const answer = await ask(
    `query ($key: String!) { device(by: { key: $key }) { id shadow { desired desiredVersion reported reportedVersion
      answeredVersion delta status } } }`,
    { key: device },
  );
  return answer.device;
}

/** Wants something else of a device; the version that this is. */
async function want(device: SeededDevice, desired: unknown, expectedVersion: number): Promise<number> {
  const { id } = await look(device);
  const { shadowUpdate } = await ask(
    `mutation ($input: ShadowUpdateInput!) { shadowUpdate(input: $input) {
      ... on ShadowUpdateSuccess { shadow { desiredVersion } } ... on UserError { code message } } }`,
    { input: { deviceId: id, desired, expectedVersion } },
  );
  expect(shadowUpdate).toEqual({ shadow: { desiredVersion: expectedVersion + 1 } });
  return expectedVersion + 1;
}

const settles = (device: SeededDevice, expected: Record<string, unknown>, timeoutMs?: number) =>
  until(
    `${device.key} to be ${JSON.stringify(expected)}`,
    async () => {
      const { shadow } = await look(device);
      return Object.entries(expected).every(([name, value]) => shadow[name] === value) && shadow;
    },
    timeoutMs,
  );
const hears = (client: ShadowedDevice, count: number) =>
  until(`${count} messages`, () => client.heard.length >= count && client.heard.slice());
const flags = (client: ShadowedDevice) =>
  client.heard.map(({ version, retained }) => `${version}${retained ? ' retained' : ''}`);
/** Anything on its way to a device is there, because what is published behind it is. */
const quiet = () => sleep(400);

describe.each([4, 5] as const)('a device of MQTT %s', (version) => {
  it('hears what it should be at once, says what it is, and both are compared', async () => {
    const device = await acme.device(`walks-${version}`);
    await using client = await open(device, { version });
    expect((await look(device)).shadow.status).toBe('NEVER_REPORTED');
    await want(device, { mode: 'eco', net: { dns: ['a', 'b'] } }, 0);
    const [state] = await hears(client, 1);
    expect(state).toEqual({
      ...{ desired: { mode: 'eco', net: { dns: ['a', 'b'] } }, version: 1, retained: false },
      timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
    });
    await client.report({ mode: 'max', net: { dns: ['a', 'b'] }, up: 7 });
    expect(await settles(device, { status: 'PENDING' })).toMatchObject({ delta: { mode: 'eco' } });
    await client.report({ mode: 'max', net: { dns: ['a'] } }, 1);
    expect(await settles(device, { status: 'DIVERGED' })).toMatchObject({
      ...{ answeredVersion: 1, delta: { mode: 'eco', net: { dns: ['a', 'b'] } } },
    });
    await client.report({ mode: 'eco', net: { dns: ['a', 'b'] } }, 1);
    await settles(device, { status: 'IN_SYNC', reportedVersion: 3 });
  });

  it('that was away hears the newest, flagged as retained, with every subscription', async () => {
    const device = await acme.device(`away-${version}`);
    await want(device, { n: 1 }, 0);
    await want(device, { n: 2 }, 1);
    await using client = await open(device, { version, obeys: true });
    expect(await hears(client, 1)).toMatchObject([{ desired: { n: 2 }, version: 2, retained: true }]);
    await settles(device, { status: 'IN_SYNC', answeredVersion: 2 });
    await client.subscribe();
    await hears(client, 2);
    await client.client.subscribeAsync(`tenant/acme/device/${device.key}/#`, { qos: 0 });
    await hears(client, 3);
    await want(device, { n: 3 }, 2);
    await hears(client, 4);
    expect(flags(client)).toEqual(['2 retained', '2 retained', '2 retained', '3']);
  });

  it('that keeps its session and does not subscribe again hears what is new, once', async () => {
    const device = await acme.device(`kept-${version}`);
    await (await open(device, { version, kept: true }))[Symbol.asyncDispose]();
    await want(device, { n: 1 }, 0);
    await want(device, { n: 2 }, 1);
    for (const url of [there(), here(), there()]) {
      await using client = await open(device, { version, kept: true, deaf: true }, url);
      if (url === there() && (await look(device)).shadow.reportedVersion === 0) {
        await hears(client, 1);
        expect(flags(client)).toEqual(['2']);
        await client.report({ n: 2 }, 2);
        await settles(device, { status: 'IN_SYNC' });
        await client.client.endAsync();
        await until('what is kept', async () => {
          const { rows } = await database.admin.query(
            "select state->'retained' as retained from mqtt_sessions where device_id = $1",
            [device.id],
          );
          return rows[0]?.retained === 2;
        });
      } else {
        await quiet();
        expect(flags(client)).toEqual([]);
      }
    }
  });

  it('of whom nobody wants anything hears nothing, and only of itself', async () => {
    const [device, other] = [
      await acme.device(`plain-${version}`),
      await acme.device(`plain-other-${version}`),
    ];
    await using client = await open(device, { version });
    await using neighbour = await open(other, { version });
    await want(other, { secret: true }, 0);
    await hears(neighbour, 1);
    await quiet();
    expect(client.heard).toEqual([]);
  });
});

describe('a client of MQTT 5', () => {
  it('says with its subscription whether it wants what is retained, and the flag', async () => {
    const device = await acme.device('choosy');
    await want(device, { n: 1 }, 0);
    await using client = await open(device, { deaf: true });
    await client.subscribe({ rh: 2 });
    await quiet();
    expect(client.heard).toEqual([]);
    await client.subscribe({ rh: 1 });
    await client.subscribe({ rh: 0, rap: true });
    await hears(client, 1);
    await want(device, { n: 2 }, 1);
    await hears(client, 2);
    expect(flags(client)).toEqual(['1 retained', '2 retained']);
  });
});

describe('a report that is none', () => {
  it('is kept with its reason, changes nothing, and is accounted for', async () => {
    const device = await acme.device('babbles');
    await using client = await open(device);
    const deep = `${'{"a":'.repeat(17)}1${'}'.repeat(17)}`;
    const said = [
      'nonsense',
      '[1]',
      '{"reported":7}',
      '{"reported":{},"version":-1}',
      `{"reported":${deep}}`,
    ];
    for (const payload of said) await client.say(payload);
    await client.say(JSON.stringify({ reported: { ok: true } }));
    await settles(device, { reportedVersion: 1 });
    const rows = await until('all of them', async () => {
      const found = await database.admin.query(
        'select reason, field, kind from quarantine where device_key = $1 order by id',
        [device.key],
      );
      return found.rows.length === said.length && found.rows;
    });
    expect(rows.map(({ reason, field, kind }) => [reason, field, kind])).toEqual([
      ['BAD_JSON', null, 'shadow_reported'],
      ['BAD_SHAPE', null, 'shadow_reported'],
      ['BAD_SHAPE', 'reported', 'shadow_reported'],
      ['BAD_SHAPE', 'version', 'shadow_reported'],
      ['BAD_VALUE', expect.stringMatching(/^reported\.a/), 'shadow_reported'],
    ]);
    await expect(client.report({ long: 'x'.repeat(17_000) })).rejects.toThrow();
    const { viewer } = await ask(
      '{ viewer { tenant { conservation { accepted stored quarantined difference } } } }',
    );
    expect(viewer.tenant.conservation).toMatchObject({ quarantined: said.length, difference: 0 });
  });
});

describe('a device that leaves service', () => {
  it('is let go, and what was wanted of it can still be read', async () => {
    const device = await acme.device('retired');
    await want(device, { n: 1 }, 0);
    const client = await open(device);
    await hears(client, 1);
    const gone = new Promise<void>((resolve) => client.client.once('close', () => resolve()));
    await ask(
      'mutation ($id: ID!) { deviceDecommission(input: { id: $id }) { ... on UserError { code } } }',
      {
        id: (await look(device)).id,
      },
    );
    await gone;
    expect((await look(device)).shadow).toMatchObject({ desired: { n: 1 }, desiredVersion: 1 });
    await expect(open(device)).rejects.toThrow('was not let in');
  });
});

describe('when a process is killed', () => {
  it.each(['gateway', 'ingest', 'relay'] as const)(
    'the %s, devices end as they should be, nothing old comes behind anything newer, and every version is there once',
    async (victim) => {
      const devices = await acme.devices(5, `kill-${victim}`);
      const clients = await Promise.all(
        devices.map((device, place) => open(device, { returns: true, obeys: true, kept: place % 2 === 0 })),
      );
      const changing = Promise.all(
        devices.map(async (device) => {
          for (let version = 0; version < 15; version++) {
            await want(device, { n: version }, version);
            await sleep(60);
          }
        }),
      );
      await sleep(400);
      processes.get(victim).kill('SIGKILL');
      await changing;
      for (const device of devices)
        await settles(device, { status: 'IN_SYNC', desiredVersion: 15, answeredVersion: 15 }, 120_000);
      expect(processes.get(victim).restarts).toBeGreaterThan(0);
      for (const { heard } of clients) {
        const versions = heard.map(({ version }) => version);
        expect(versions).toEqual(versions.toSorted((a, b) => a - b));
        expect(versions.at(-1)).toBe(15);
      }
      const { rows } = await database.admin.query(
        `select device_id, side, array_agg(version order by id) as versions, bool_and((actor is null) = (side = 'REPORTED')) as named
         from shadow_history where device_id = any($1) group by 1, 2`,
        [devices.map(({ id }) => id)],
      );
      expect(rows).toHaveLength(10);
      for (const { side, versions, named } of rows) {
        expect(named).toBe(true);
        expect(versions).toEqual(versions.map((_: unknown, index: number) => index + 1));
        if (side === 'DESIRED') expect(versions).toHaveLength(15);
      }
      await Promise.all(clients.map((client) => client[Symbol.asyncDispose]()));
    },
  );
});
