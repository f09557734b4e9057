import { afterAll, beforeAll, expect, it } from 'vitest';
import type { NatsServer } from '#standalone/nats.ts';
import { openTestDatabase, type TestDatabase } from '#tests/kit/database.ts';
import { bearer, doorOf, post } from '#tests/kit/http-device.ts';
import { openTestBus, openTestNats } from '#tests/kit/nats.ts';
import { startProcesses, type TestProcesses } from '#tests/kit/processes.ts';
import { type SeededDevice, seedTenant, type TenantSeed } from '#tests/kit/seed.ts';
import { promptly, until } from '#tests/kit/wait.ts';

const opened = new AsyncDisposableStack();
let database: TestDatabase;
let processes: TestProcesses;
let nats: NatsServer;
let acme: TenantSeed;

beforeAll(async () => {
  database = opened.use(await openTestDatabase());
  nats = opened.use(await openTestNats());
  opened.use(await openTestBus(nats));
  processes = opened.use(
    await startProcesses({
      ...{ database, natsUrl: nats.url, start: ['api', 'relay'] },
      env: {
        ...{ LIMIT_DEVICE_MESSAGES_PER_SECOND: '1', LIMIT_BURST_SECONDS: '10' },
        ...{ HTTP_INGEST_PENDING_BYTES: '65536', HTTP_INGEST_STORE_TIMEOUT_MS: '5000' },
      },
    }),
  );
  acme = await seedTenant(database.admin, 'acme');
});
afterAll(() => opened.disposeAsync());

const url = (path: string) => `http://127.0.0.1:${processes.httpPort}${path}`;
const send = (device: SeededDevice) => post(url(doorOf(device)), { a: 1 }, bearer(device));

it('answers a device that sends too fast 429 with the time to wait, and nobody else', async () => {
  const [device, other] = [await acme.device('fast'), await acme.device('calm')];
  const began = Date.now();
  for (let n = 0; n < 10; n++) expect((await send(device)).status).toBe(202);
  const answers = await Promise.all(Array.from({ length: 10 }, () => send(device)));
  const refused = answers.filter(({ status }) => status === 429);
  // Each second makes room for one more.
  expect(refused.length).toBeGreaterThanOrEqual(10 - Math.ceil((Date.now() - began) / 1_000));
  const [first] = refused;
  expect(first?.headers.get('retry-after')).toBe('1');
  expect(first?.headers.get('content-type')).toBe('application/problem+json');
  expect(first?.body).toMatchObject({
    status: 429,
    code: 'DEVICE_RATE_EXCEEDED',
    detail: expect.any(String),
  });
  expect((await send(other)).status).toBe(202);
  await until('its turn', async () => (await send(device)).status === 202);
});

it('gives every message of a batch its own answer', async () => {
  const [device, other] = [await acme.device('batch'), await acme.device('batch-2')];
  const message = ({ tenant, key, password }: SeededDevice) => ({
    ...{ tenant, device: key, token: password, payload: { a: 1 } },
  });
  const messages = [...Array.from({ length: 13 }, () => message(device)), message(other)];
  const { status, body, headers } = await post(url('/ingest/v1/batch'), { messages });
  expect(status).toBe(207);
  const statuses = body.results.map((result: { status: number }) => result.status);
  expect(statuses).toEqual([...Array(10).fill(202), ...Array(3).fill(429), 202]);
  expect(body.results[10]).toMatchObject({ code: 'DEVICE_RATE_EXCEEDED' });
  expect(headers.get('retry-after')).toBe('1');
});

it('knows a tenant’s own limits, follows their change, and adds up what was sent and refused', async () => {
  const tenant = await seedTenant(database.admin, 'own-limits');
  const devices = await tenant.devices(8);
  const limits = JSON.stringify({ messagesPerSecond: 1 });
  await database.admin.query('update tenants set limits = $2 where id = $1', [tenant.id, limits]);
  const sendAll = async () => Promise.all(devices.map(send));
  await promptly('the refusal', async () => (await sendAll()).some(({ status }) => status === 429));
  expect((await sendAll()).find(({ status }) => status === 429)?.body.code).toBe('TENANT_RATE_EXCEEDED');
  await database.admin.query(`update tenants set limits = '{}' where id = $1`, [tenant.id]);
  const passed = async () => (await sendAll()).every(({ status }) => status === 202);
  await promptly('the new limits', passed);
  const used = async () =>
    (
      await database.admin.query<{ messages: number; refused: number }>(
        `select sum(messages)::int as messages, sum(refused)::int as refused from tenant_usage where tenant_id = $1`,
        [tenant.id],
      )
    ).rows[0];
  const seen = await until('the usage', async () => ((await used())?.messages ?? 0) > 0 && used());
  expect(seen?.refused).toBeGreaterThan(0);
});

it('counts a report once, though it comes twice, and without the tenants that are gone', async () => {
  const gone = 2_000_000_000;
  const twice = (value: unknown) => [value, value];
  const counts = [5, 50, 1, 0].map(twice);
  const report: unknown[] = ['api-x', 1, [acme.id, gone], twice(new Date(0)), ...counts];
  for (const sequence of [1, 1, 2, 1]) {
    report[1] = sequence;
    await database.worker.query('select add_usage($1, $2, $3, $4, $5, $6, $7, $8)', report);
  }
  const { rows } = await database.admin.query(
    'select messages::int, bytes::int, throttled::int, refused::int from tenant_usage where tenant_id = $1 and minute = to_timestamp(0)',
    [acme.id],
  );
  expect(rows).toEqual([{ messages: 10, bytes: 100, throttled: 2, refused: 0 }]);
});

it('lets a tenant hold no more than its share while the bus is slow', async () => {
  const [full, sibling] = await acme.devices(2, 'share');
  const rival = await seedTenant(database.admin, 'rival');
  const stranger = await rival.device('stranger');
  if (!full || !sibling) throw new Error('no devices');
  const payload = Object.fromEntries(Array.from({ length: 40 }, (_, n) => [`m${n}`, 'x'.repeat(50)]));
  const message = { ...{ tenant: 'acme', device: full.key, token: full.password }, payload };
  const timed = async (device: SeededDevice) => {
    const began = Date.now();
    const { status, body } = await send(device);
    return { status, code: body.code, waited: Date.now() - began > 4_000 };
  };
  nats.process.kill('SIGSTOP');
  try {
    const filling = post(url('/ingest/v1/batch'), { messages: Array(9).fill(message) });
    await until('the share', async () => !(await timed(sibling)).waited);
    const refused = { status: 503, code: 'NOT_STORED' };
    expect(await timed(stranger)).toEqual({ ...refused, waited: true });
    expect((await filling).status).toBe(503);
  } finally {
    nats.process.kill('SIGCONT');
  }
  await until('202 again', async () => (await send(sibling)).status === 202);
});
