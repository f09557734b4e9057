import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { shardOf } from '#core/fleet/shards.ts';
import { openTestApi, type TestApi } from '#tests/kit/api.ts';
import { openTestFrames, type TestFrames } from '#tests/kit/frames.ts';
import { startProcesses, type TestProcesses } from '#tests/kit/processes.ts';
import { type SeededDevice, seedTenant, type TenantSeed } from '#tests/kit/seed.ts';
import { until } from '#tests/kit/wait.ts';

const TRACE = `query ($id: String!, $device: String) { message(id: $id, device: $device) {
  receipt device { key } deviceKey kind source receivedAt framedAt origin sequence streamedAt worker storedAt publishedAt payload { text }
  parts { part state reading { id messageId at metrics receivedAt } quarantined { id reason } deadLetter { reason payload { text } } } } }`;

/** A slug on the same shard as another: their messages share frames. */
const neighbourOf = (slug: string): string => {
  for (let n = 0; ; n++) if (shardOf(`neighbour-${n}`, 16) === shardOf(slug, 16)) return `neighbour-${n}`;
};

describe('a message', () => {
  const opened = new AsyncDisposableStack();
  let api: TestApi;
  let processes: TestProcesses;
  let frames: TestFrames;
  let acme: TenantSeed;
  let other: TenantSeed;
  let meter: SeededDevice;
  let key: string;
  let strangerKey: string;

  beforeAll(async () => {
    api = opened.use(await openTestApi());
    acme = await seedTenant(api.database.admin, 'acme', 30);
    other = await seedTenant(api.database.admin, neighbourOf('acme'), 30);
    meter = await acme.device('meter');
    await other.device('meter');
    key = await acme.apiKey('VIEWER');
    strangerKey = await other.apiKey('ADMIN');
    processes = opened.use(
      await startProcesses({ database: api.database, natsUrl: api.nats.url, start: ['ingest'] }),
    );
    frames = opened.use(openTestFrames(api.bus));
  });
  afterAll(() => opened.disposeAsync());

  const trace = async (id: string, device?: string, credential = key) => {
    const { data, errors } = await api.ask(credential, TRACE, { id, device });
    expect(errors).toEqual([]);
    return data.message;
  };
  const traced = (id: string, state: string) =>
    until(`the state ${state}`, async () => {
      const found = await trace(id);
      return found?.parts[0]?.state === state && found.publishedAt !== null && found;
    });
  const textOf = (receipt: { batchId: string; index: number }) => `${receipt.batchId}.${receipt.index}`;

  it('is followed from the gateway to its row, by its receipt, its reading and its number', async () => {
    const receivedAt = Date.now() - 5_000;
    const payload = { seq: 7, ts: receivedAt - 1_000, metrics: { a: 1 } };
    const [, receipt] = await Promise.all([
      frames.send(other.slug, 'meter', { seq: 1, metrics: { stolen: 1 } }),
      frames.send('acme', 'meter', payload, { receivedAt, source: 'bridge' }),
    ]);
    expect(receipt.index).toBe(1);
    const found = await traced(textOf(receipt), 'STORED');
    expect(found).toMatchObject({
      ...{
        receipt: textOf(receipt),
        device: { key: 'meter' },
        deviceKey: 'meter',
        kind: 'telemetry',
        source: 'bridge',
      },
      ...{
        receivedAt: new Date(receivedAt).toISOString(),
        origin: 'gateway-test',
        worker: expect.stringMatching(/^ingest-/),
      },
      sequence: expect.any(Number),
      parts: [{ part: 0, state: 'STORED', reading: { messageId: '7', metrics: { a: 1 } } }],
    });
    const times = [found.framedAt, found.streamedAt, found.storedAt, found.publishedAt].map(Date.parse);
    expect(times.toSorted((a, b) => a - b)).toEqual(times);
    expect(await trace(found.parts[0].reading.id)).toEqual(found);
    expect(await trace('7', 'meter')).toEqual(found);
  });

  it('shows which of its readings were stored, were there already or were turned away', async () => {
    const ts = Date.now();
    const first = await frames.send('acme', 'meter', { ts, seq: 100, metrics: { a: 1 } });
    await traced(textOf(first), 'STORED');
    const payload = [
      { ts, seq: 100, metrics: { a: 1 } },
      { ts, seq: 101, metrics: { a: null } },
      { ts, seq: 102, metrics: { a: 2 } },
    ];
    const receipt = await frames.send('acme', 'meter', payload);
    const found = await traced(textOf(receipt), 'DUPLICATE');
    expect(found.parts).toMatchObject([
      { part: 0, state: 'DUPLICATE', reading: { messageId: '100' } },
      { part: 1, state: 'QUARANTINED', quarantined: { reason: 'BAD_VALUE' } },
      { part: 2, state: 'STORED', reading: { messageId: '102' } },
    ]);
    expect(found.payload.text).toBe(JSON.stringify(payload));
    expect(await trace(found.parts[1].quarantined.id)).toEqual(found);
  });

  it('is found when nobody knows its device, and when it is a sign of life', async () => {
    const unknown = await frames.send('acme', 'stranger', 'x');
    expect(await traced(textOf(unknown), 'QUARANTINED')).toMatchObject({
      ...{
        device: null,
        deviceKey: 'stranger',
        source: 'mqtt',
        origin: 'gateway-test',
        payload: { text: 'x' },
      },
      parts: [{ quarantined: { reason: 'UNKNOWN_DEVICE' } }],
    });
    const alive = await frames.send('acme', 'meter', '{}', { kind: 'heartbeat' });
    expect(await traced(textOf(alive), 'SIGN_OF_LIFE')).toMatchObject({
      kind: 'heartbeat',
      receivedAt: null,
    });
  });

  it('is found on the stream while nobody stores it', async () => {
    processes.get('ingest').kill('SIGSTOP');
    try {
      const [, receipt] = await Promise.all([
        frames.send(other.slug, 'meter', { seq: 300, metrics: { stolen: 1 } }),
        frames.send('acme', 'meter', { seq: 300, metrics: { waiting: 1 } }),
      ]);
      const found = await trace(textOf(receipt));
      expect(found).toMatchObject({
        ...{ deviceKey: 'meter', source: 'mqtt', origin: 'gateway-test', worker: null, storedAt: null },
        payload: { text: '{"seq":300,"metrics":{"waiting":1}}' },
        parts: [{ state: 'IN_FLIGHT' }],
      });
      expect(await trace('300', 'meter')).toEqual(found);
      expect(await trace(textOf(receipt), undefined, strangerKey)).toBeNull();
      expect(await trace(`${receipt.batchId}.0`)).toBeNull();
    } finally {
      processes.get('ingest').kill('SIGCONT');
    }
  });

  it('is a dead letter where it cannot be used, with its bytes, for its tenant', async () => {
    const { rows } = await api.database.admin.query(
      `insert into dead_letters (stream, stream_sequence, streamed_at, item_index, payload, reason, batch_id, tenant_id, device_key)
       values ('TELEMETRY', 1, now(), 3, 'bytes', 'failed 5 times', '019b0000-0000-7000-8000-00000000000a', $1, 'meter') returning batch_id`,
      [acme.id],
    );
    const receipt = `${rows[0].batch_id}.3`;
    expect(await trace(receipt)).toMatchObject({
      deviceKey: 'meter',
      parts: [
        { state: 'DEAD_LETTERED', deadLetter: { reason: 'failed 5 times', payload: { text: 'bytes' } } },
      ],
    });
    const list = (credential: string) =>
      api.ask(credential, '{ deadLetters { nodes { receipt deviceKey reason payload { text } } } }');
    expect((await list(key)).data.deadLetters.nodes).toEqual([
      { receipt, deviceKey: 'meter', reason: 'failed 5 times', payload: { text: 'bytes' } },
    ]);
    expect((await list(strangerKey)).data.deadLetters.nodes).toEqual([]);
    expect(await trace(receipt, undefined, strangerKey)).toBeNull();
  });

  it('is nobody else’s to see, by any of its names', async () => {
    const [theirs, receipt] = await Promise.all([
      frames.send(other.slug, 'meter', { seq: 400, metrics: { stolen: 1 } }),
      frames.send('acme', 'meter', [{ seq: 400, metrics: { a: 1 } }, 'x']),
    ]);
    expect(theirs.batchId).toBe(receipt.batchId);
    const found = await traced(textOf(receipt), 'STORED');
    const names = [textOf(receipt), found.parts[0].reading.id, found.parts[1].quarantined.id];
    for (const name of names) expect(await trace(name, undefined, strangerKey)).toBeNull();
    expect(await trace(textOf(theirs))).toBeNull();
    const own = await trace('400', 'meter', strangerKey);
    expect(own.parts).toMatchObject([{ state: 'STORED', reading: { metrics: { stolen: 1 } } }]);
    expect(JSON.stringify(own)).not.toContain(`"${textOf(receipt)}"`);
  });

  it('is known by its row alone when its frame is not kept any more', async () => {
    const { rows } = await api.database.admin.query(
      `insert into readings (tenant_id, device_id, ts, msg_id, received_at, stored_at, metrics)
       values ($1, $2, now(), 4711, now(), now() - interval '1 hour', '{"old":1}') returning ts`,
      [acme.id, meter.id],
    );
    expect(rows).toHaveLength(1);
    expect(await trace('4711', 'meter')).toMatchObject({
      ...{ receipt: null, deviceKey: 'meter', sequence: null, worker: null },
      parts: [{ state: 'STORED', reading: { metrics: { old: 1 } } }],
    });
  });

  it('says what a name is when it is given none', async () => {
    const code = async (id: string, device?: string) =>
      (await api.ask(key, TRACE, { id, device })).errors[0]?.extensions?.['code'];
    expect([await code('x'), await code(''), await code('7')]).toEqual(Array(3).fill('BAD_USER_INPUT'));
    expect(await trace('999', 'meter')).toBeNull();
    expect(await trace('7', 'nobody')).toBeNull();
  });
});
