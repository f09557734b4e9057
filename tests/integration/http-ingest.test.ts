import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { NatsServer } from '#standalone/nats.ts';
import { openTestDatabase, type TestDatabase } from '#tests/kit/database.ts';
import { basic, bearer, type DoorAnswer, doorOf, post } from '#tests/kit/http-device.ts';
import { openTestBus, openTestNats } from '#tests/kit/nats.ts';
import { startProcesses, type TestProcesses } from '#tests/kit/processes.ts';
import { type SeededDevice, seedTenant, type TenantSeed } from '#tests/kit/seed.ts';
import { until } from '#tests/kit/wait.ts';

const opened = new AsyncDisposableStack();
let database: TestDatabase;
let nats: NatsServer;
let processes: TestProcesses;
let acme: TenantSeed;
let rival: TenantSeed;

beforeAll(async () => {
  database = opened.use(await openTestDatabase());
  nats = opened.use(await openTestNats());
  opened.use(await openTestBus(nats));
  processes = opened.use(
    await startProcesses({
      ...{ database, natsUrl: nats.url, start: ['api', 'ingest'] },
      env: { HTTP_INGEST_STORE_TIMEOUT_MS: '1000' },
    }),
  );
  acme = await seedTenant(database.admin, 'acme');
  rival = await seedTenant(database.admin, 'rival');
});
afterAll(() => opened.disposeAsync());

const url = (path: string) => `http://127.0.0.1:${processes.httpPort}${path}`;
const send = (device: SeededDevice, body: unknown, headers: Record<string, string> = bearer(device)) =>
  post(url(doorOf(device)), body, headers);
const sendBatch = (messages: unknown, headers: Record<string, string> = {}): Promise<DoorAnswer> =>
  post(url('/ingest/v1/batch'), { messages }, headers);

const readings = async (device: SeededDevice) =>
  (
    await database.admin.query<{ metrics: Record<string, unknown>; msg_id: string }>(
      'select metrics, msg_id from readings where device_id = $1 order by ts, msg_id',
      [device.id],
    )
  ).rows;
const stored = (device: SeededDevice, count: number) =>
  until(`${count} readings of ${device.key}`, async () => (await readings(device)).length >= count);

/** When everything that was sent before has been stored: a later message of the same shard has. */
async function settled(): Promise<void> {
  const marker = await acme.device(`marker-${Math.random().toString(36).slice(2)}`);
  await send(marker, { a: 1 });
  await stored(marker, 1);
}

describe('the door of a device', () => {
  it('stores a numbered message that is sent again once, though it has neither a time nor a key', async () => {
    const device = await acme.device('numbered');
    for (let times = 0; times < 3; times++) await send(device, { seq: 1, boot: 2, metrics: { t: 1 } });
    await send(device, { seq: 2, boot: 2, metrics: { t: 1 } });
    await stored(device, 2);
    await settled();
    expect(await readings(device)).toHaveLength(2);
  });

  it('answers 202 with a receipt for a message that becomes a row, however the token is presented', async () => {
    const device = await acme.device('door');
    const ways = [bearer(device), basic(device), { 'x-provision-token': device.password }];
    for (const [seq, headers] of ways.entries()) {
      const { status, body } = await send(device, { seq, metrics: { t: seq } }, headers);
      expect({ status, body }).toMatchObject({ status: 202, body: { index: expect.any(Number) } });
      expect(body.receipt).toBe(`${body.batchId}.${body.index}`);
      const frame = await until('the frame', async () => {
        const rows = await database.admin.query('select items from ingest_frames where batch_id = $1', [
          body.batchId,
        ]);
        return rows.rows[0];
      });
      expect(frame.items).toBeGreaterThan(body.index);
    }
    await stored(device, 3);
    expect((await readings(device)).map((row) => row.metrics)).toEqual([{ t: 0 }, { t: 1 }, { t: 2 }]);
  });

  it('takes a heartbeat with any body or none, which is a sign of life and no reading', async () => {
    const device = await acme.device('beating');
    for (const body of ['', '{}', 'alive']) {
      expect((await post(url(doorOf(device, 'heartbeat')), body, bearer(device))).status).toBe(202);
    }
    await settled();
    expect(await readings(device)).toEqual([]);
  });

  it('takes the provision token out of the payload', async () => {
    const device = await acme.device('provisioned');
    expect((await send(device, { provision_token: 'secret', t: 1 })).status).toBe(202);
    await stored(device, 1);
    expect((await readings(device))[0]?.metrics).toEqual({ t: 1 });
  });

  it.each([
    ['no JSON', '{"a":', 'BAD_JSON', '$'],
    ['no object', '7', 'BAD_SHAPE', '$'],
    ['no metrics', '{}', 'NO_METRICS', '$'],
    ['a nested value', '{"metrics":{"a":{"b":1}}}', 'BAD_VALUE', '$.metrics.a'],
    ['a bad key', '{"a b":1}', 'BAD_KEY', '$.a b'],
    ['an infinite number', '{"metrics":{"a":1e999}}', 'BAD_VALUE', '$.metrics.a'],
    ['a bad time', '{"ts":"soon","metrics":{"a":1}}', 'BAD_TIMESTAMP', '$.ts'],
    ['a time far ahead', '{"ts":"2099-01-01T00:00:00Z","metrics":{"a":1}}', 'IN_FUTURE', '$.ts'],
    ['a bad seq', '{"seq":-1,"metrics":{"a":1}}', 'BAD_VALUE', '$.seq'],
    ['one bad reading of an array', '[{"a":1},{"ts":[],"metrics":{"a":1}}]', 'BAD_TIMESTAMP', '$[1].ts'],
  ])('refuses %s with 400 and names the field; nothing of it is taken', async (name, body, code, field) => {
    const device = await acme.device(`bad-${name.replaceAll(' ', '-')}`);
    const answer = await send(device, body);
    expect(answer.headers.get('content-type')).toBe('application/problem+json');
    expect(answer.body).toMatchObject({
      type: 'about:blank',
      status: 400,
      code,
      field,
      title: 'Bad Request',
    });
    const kept = await database.admin.query('select from quarantine where device_key = $1', [device.key]);
    expect({ status: answer.status, kept: kept.rowCount }).toEqual({ status: 400, kept: 0 });
  });

  it('refuses who is not the device', async () => {
    const device = await acme.device('mine');
    const other = await acme.device('other');
    const foreign = await rival.device('mine');
    const refused = async (headers: Record<string, string>, path = doorOf(device)) => {
      const { status, body, headers: told } = await post(url(path), { a: 1 }, headers);
      return { status, code: body.code, challenge: told.get('www-authenticate')?.slice(0, 6) };
    };
    const unknown = { status: 401, code: 'BAD_CREDENTIALS', challenge: 'Bearer' };
    expect(await refused({})).toEqual(unknown);
    expect(await refused({ authorization: 'Bearer wrong' })).toEqual(unknown);
    expect(await refused({ authorization: 'Digest x' })).toEqual(unknown);
    expect(await refused(bearer(other))).toEqual(unknown);
    expect(await refused(bearer(foreign))).toEqual(unknown);
    expect(await refused(bearer(device), '/ingest/v1/tenant/acme/device/nobody/telemetry')).toEqual(unknown);
    expect(await refused(basic(other))).toMatchObject({ status: 403, code: 'WRONG_DEVICE' });
    expect(await refused({ authorization: `Bearer ${await acme.apiKey()}` })).toEqual(unknown);
    await database.admin.query(`update devices set status = 'DISABLED' where id = $1`, [other.id]);
    expect(await refused(bearer(other), doorOf(other))).toMatchObject({ status: 403, code: 'NOT_ACTIVE' });
    await settled();
    expect(await readings(device)).toEqual([]);
  });

  it('refuses other doors, methods, types and sizes', async () => {
    const device = await acme.device('strict');
    for (const path of [
      '/ingest/',
      '/ingest/v1/tenant/acme/device/strict/status',
      '/ingest/v1/tenant/A/device/d/telemetry',
    ]) {
      expect((await post(url(path), {}, bearer(device))).status).toBe(404);
    }
    const got = await fetch(url(doorOf(device)), { headers: bearer(device) });
    expect([got.status, got.headers.get('allow')]).toEqual([405, 'POST']);
    const form = { ...bearer(device), 'content-type': 'application/x-www-form-urlencoded' };
    expect((await send(device, 'a=1', form)).body).toMatchObject({ status: 415, field: 'Content-Type' });
    expect((await send(device, '{}', { ...bearer(device), 'content-encoding': 'gzip' })).status).toBe(415);
    expect((await send(device, { a: 'x'.repeat(20_000) })).body).toMatchObject({
      status: 413,
      code: 'TOO_LARGE',
    });
    expect((await send(device, 'x'.repeat(500_000))).status).toBe(413);
  });
});

describe('an idempotency key', () => {
  it('makes a message sent again the same reading, though it has no time of its own', async () => {
    const device = await acme.device('again');
    const headers = { ...bearer(device), 'idempotency-key': 'order-66' };
    for (let times = 0; times < 3; times++) {
      expect((await send(device, [{ t: 1 }, { t: 1 }], headers)).status).toBe(202);
    }
    expect((await send(device, { t: 2 }, bearer(device))).status).toBe(202);
    await stored(device, 3);
    await settled();
    expect((await readings(device)).map((row) => row.metrics)).toEqual([{ t: 1 }, { t: 1 }, { t: 2 }]);
  });

  it('belongs to its device, and to one body', async () => {
    const [one, two] = [await acme.device('key-1'), await acme.device('key-2')];
    const key = { 'idempotency-key': 'same' };
    expect((await send(one, { t: 1 }, { ...bearer(one), ...key })).status).toBe(202);
    expect((await send(two, { t: 2 }, { ...bearer(two), ...key })).status).toBe(202);
    expect((await send(one, { t: 3 }, { ...bearer(one), ...key })).body).toMatchObject({
      ...{ status: 422, code: 'IDEMPOTENCY_KEY_REUSED' },
    });
    expect((await send(one, { t: 3 }, { ...bearer(one), 'idempotency-key': 'a b' })).body).toMatchObject({
      ...{ status: 400, field: 'Idempotency-Key' },
    });
    await Promise.all([stored(one, 1), stored(two, 1)]);
  });
});

describe('a batch', () => {
  it('gives each message its own outcome, in order, and stores exactly those it says it did', async () => {
    const [one, two] = [await acme.device('batch-1'), await rival.device('batch-2')];
    const { status, body } = await sendBatch([
      { tenant: 'acme', device: one.key, token: one.password, payload: { seq: 1, metrics: { t: 1 } } },
      { tenant: 'rival', device: two.key, token: two.password, payload: { t: 2 }, idempotency_key: 'k' },
      { tenant: 'rival', device: two.key, token: one.password, payload: { t: 3 } },
      { tenant: 'acme', device: one.key, token: one.password, payload: { metrics: { t: null } } },
      { tenant: 'acme', device: one.key, token: one.password, kind: 'heartbeat' },
      { tenant: 'acme', device: one.key, token: one.password, payload: { t: 4 }, ts: 1 },
      { tenant: 'acme', device: one.key, payload: { t: 5 } },
      7,
    ]);
    expect(status).toBe(207);
    expect(body.results.map((each: DoorAnswer['body']) => [each.status, each.field])).toEqual([
      [202, undefined],
      [202, undefined],
      [401, '$.messages[2].token'],
      [400, '$.messages[3].payload.metrics.t'],
      [202, undefined],
      [400, '$.messages[5].ts'],
      [401, '$.messages[6].token'],
      [400, '$.messages[7]'],
    ]);
    expect(body.results[0].receipt).toMatch(/^[0-9a-f-]{36}\.\d+$/);
    await Promise.all([stored(one, 1), stored(two, 1)]);
    await settled();
    expect((await readings(one)).map((row) => row.metrics)).toEqual([{ t: 1 }]);
    expect((await readings(two)).map((row) => row.metrics)).toEqual([{ t: 2 }]);
  });

  it('takes the request’s own credential for messages without one, and is 202 when all are', async () => {
    const device = await acme.device('batch-own');
    const messages = Array.from({ length: 100 }, (_, seq) => ({
      device: device.key,
      payload: { seq, metrics: { t: seq } },
    }));
    const answer = await sendBatch(messages, basic(device));
    expect(answer.status).toBe(202);
    await stored(device, 100);
    const again = await sendBatch(messages, basic(device));
    expect(again.status).toBe(202);
  });

  it('survives a payload that is nested without end', async () => {
    const depth = 400_000;
    const nested = `${'['.repeat(depth)}${']'.repeat(depth)}`;
    const body = `{"messages":[{"tenant":"acme","device":"d","token":"t","payload":${nested}}]}`;
    const { status, body: told } = await post(url('/ingest/v1/batch'), body);
    expect({ status, field: told.results[0].field }).toEqual({ status: 400, field: '$.messages[0].payload' });
  });

  it('refuses what is no batch', async () => {
    expect((await post(url('/ingest/v1/batch'), '{', {})).body).toMatchObject({
      status: 400,
      code: 'BAD_JSON',
      field: '$',
    });
    expect((await sendBatch({})).body).toMatchObject({ status: 400, field: '$.messages' });
    expect((await sendBatch([])).body).toMatchObject({ status: 400, field: '$.messages' });
    expect((await sendBatch(new Array(101).fill({}))).body).toMatchObject({
      status: 413,
      code: 'TOO_MANY_MESSAGES',
    });
    expect((await sendBatch([{ tenant: 'acme', device: 'x', token: 'y', payload: {} }])).status).toBe(401);
  });
});

describe('when JetStream does not answer', () => {
  it('says 503 in time, and what is sent again under its key is stored once', async () => {
    const device = await acme.device('patient');
    const headers = { ...bearer(device), 'idempotency-key': 'later' };
    nats.process.kill('SIGSTOP');
    const began = Date.now();
    const refused = await send(device, { t: 1 }, headers).finally(() => nats.process.kill('SIGCONT'));
    expect(refused.body).toMatchObject({ status: 503, code: 'NOT_STORED' });
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(Date.now() - began).toBeLessThan(20_000);
    await until('202 again', async () => (await send(device, { t: 1 }, headers)).status === 202);
    await settled();
    expect((await readings(device)).map((row) => row.metrics)).toEqual([{ t: 1 }]);
  });
});

describe('kill -9 of the api while devices send over HTTP', () => {
  it('loses nothing that was answered 202 and doubles nothing that was sent again', async () => {
    const devices = await acme.devices(8, 'storm');
    let accepted = 0;
    const run = async (device: SeededDevice) => {
      for (let seq = 0; seq < 60; seq++) {
        const headers = { ...bearer(device), 'idempotency-key': `k${seq}` };
        await until(`message ${seq}`, async () => {
          const answer = await send(device, { t: seq }, headers).catch(() => undefined);
          return answer?.status === 202;
        });
        accepted += 1;
        if (accepted === 150 || accepted === 320) processes.get('api').kill('SIGKILL');
      }
    };
    await Promise.all(devices.map(run));
    await Promise.all(devices.map((device) => stored(device, 60)));
    await settled();
    const rows = await Promise.all(devices.map(readings));
    expect(rows.map((each) => each.length)).toEqual(devices.map(() => 60));
    expect(processes.get('api').restarts).toBeGreaterThanOrEqual(2);
    console.log(`kill -9 of api: ${accepted} answered 202, ${rows.flat().length} rows, 0 lost, 0 doubled`);
  });
});
