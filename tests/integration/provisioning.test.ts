import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openTestDatabase, type TestDatabase } from '#tests/kit/database.ts';
import { openTestFrames, type TestFrames } from '#tests/kit/frames.ts';
import { post } from '#tests/kit/http-device.ts';
import { openTestBus, openTestNats } from '#tests/kit/nats.ts';
import { startProcesses, type TestProcesses } from '#tests/kit/processes.ts';
import { seedTenant, type TenantSeed } from '#tests/kit/seed.ts';
import { until } from '#tests/kit/wait.ts';

const opened = new AsyncDisposableStack();
let database: TestDatabase;
let processes: TestProcesses;
let acme: TenantSeed;
let engineer: string;
let frames: TestFrames;

beforeAll(async () => {
  database = opened.use(await openTestDatabase());
  const nats = opened.use(await openTestNats());
  frames = opened.use(openTestFrames(opened.use(await openTestBus(nats))));
  // Without the relay ingest hears of no new device: it has to find them.
  processes = opened.use(await startProcesses({ database, natsUrl: nats.url, start: ['api', 'ingest'] }));
  acme = await seedTenant(database.admin, 'acme');
  engineer = await acme.apiKey('ENGINEER');
});
afterAll(() => opened.disposeAsync());

const url = (path: string) => `http://127.0.0.1:${processes.httpPort}${path}`;
const make = async (input: Record<string, unknown> = {}): Promise<{ id: string; token: string }> => {
  const { body } = await post(
    url('/graphql'),
    {
      query: `mutation ($input: ProvisioningTokenCreateInput!) { provisioningTokenCreate(input: $input) {
        ... on ProvisioningTokenCreateSuccess { token provisioningToken { id } } } }`,
      variables: { input: { name: 'factory', ...input } },
    },
    { authorization: `Bearer ${engineer}` },
  );
  const { token, provisioningToken } = body.data.provisioningTokenCreate;
  return { token, id: provisioningToken.id };
};
const send = (device: string, token: string, body: unknown, tenant = 'acme') =>
  post(url(`/ingest/v1/tenant/${tenant}/device/${device}/telemetry`), body, { 'x-provision-token': token });
const count = async (text: string, ...values: unknown[]): Promise<number> =>
  Number((await database.admin.query<{ n: string }>(text, values)).rows[0]?.n);
const devices = (key: string) => count('select count(*) as n from devices where key = $1', key);
const readings = (key: string) =>
  count('select count(*) as n from readings r join devices d on d.id = r.device_id where d.key = $1', key);

describe('a provisioning token', () => {
  it('makes one device of fifty first messages at once, and every one is stored', async () => {
    const { token } = await make();
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, seq) => send('fresh', token, { seq, metrics: { t: seq } })),
    );
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([202]));
    await until('50 readings', async () => (await readings('fresh')) >= 50);
    expect(await devices('fresh')).toBe(1);
    expect(await count('select count(*) as n from quarantine')).toBe(0);
    const audit = await database.admin.query(
      "select actor_kind, actor_name from audit_entries where action = 'deviceProvision' and target_label = 'fresh'",
    );
    expect(audit.rows).toEqual([{ actor_kind: 'PROVISIONING_TOKEN', actor_name: 'factory' }]);
  });

  it('makes a device that ingest has just found unknown, and tells of it', async () => {
    const { token } = await make();
    await frames.send('acme', 'doubted', { t: 1 });
    await until('the quarantined message', async () => {
      const found = "select count(*) as n from quarantine where device_key = 'doubted'";
      return (await count(found)) === 1;
    });
    expect((await send('doubted', token, { t: 2 })).status).toBe(202);
    await until('the reading', async () => (await readings('doubted')) === 1);
    const told = await database.admin.query<{ subject: string }>(
      "select subject from outbox where convert_from(payload, 'UTF8') like '%doubted%' order by id",
    );
    expect(told.rows.map(({ subject }) => subject)).toEqual([
      expect.stringMatching(/^events\.\d+\.device$/),
      'control.device',
    ]);
  });

  it('makes no more devices in an hour than it may, also when they come at once', async () => {
    const { token } = await make({ maxDevicesPerHour: 3 });
    const answers = await Promise.all(
      Array.from({ length: 10 }, (_, index) => send(`many-${index}`, token, { t: 1 })),
    );
    const refused = answers.filter(({ status }) => status === 429);
    expect(refused).toHaveLength(7);
    for (const { headers } of refused) expect(Number(headers.get('retry-after'))).toBeGreaterThan(3_000);
    expect(await count("select count(*) as n from devices where key like 'many-%'")).toBe(3);
  });

  it('never takes over what somebody else made, keeps to its prefix and tenant, and ends when revoked', async () => {
    const { token, id } = await make({ keyPrefix: 'own-' });
    const other = await make();
    await acme.device('own-before');
    await seedTenant(database.admin, 'rival');
    expect((await send('own-before', token, { t: 1 })).status).toBe(403);
    expect((await send('foreign', token, { t: 1 })).status).toBe(403);
    expect((await send('own-x', token, { t: 1 }, 'rival')).status).toBe(401);
    expect((await send('own-1', token, { t: 1 })).status).toBe(202);
    expect((await send('own-1', other.token, { t: 1 })).status).toBe(403);
    const query = `mutation { provisioningTokenRevoke(input: { id: "${id}" }) { __typename } }`;
    await post(url('/graphql'), { query }, { authorization: `Bearer ${engineer}` });
    expect((await send('own-1', token, { t: 1 })).status).toBe(401);
    expect((await send('own-2', token, { t: 1 })).status).toBe(401);
    expect(await devices('foreign')).toBe(0);
    expect(await devices('own-2')).toBe(0);
  });
});
