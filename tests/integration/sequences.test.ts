import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decodeEvents, type SequenceEvent } from '#core/bus/events.ts';
import { follow } from '#core/bus/follow.ts';
import { createFramePublisher, type FramePublisher, type Receipt } from '#core/bus/frame-publisher.ts';
import type { FrameItem } from '#core/bus/messages.ts';
import { createPublisher } from '#core/bus/publish.ts';
import { transaction } from '#core/db/pool.ts';
import { type ReadingRow, storeReadings } from '#core/db/readings.ts';
import { findResends } from '#core/db/resends.ts';
import { JsonText } from '#core/fleet/json-text.ts';
import { sequenceId } from '#core/fleet/message-id.ts';
import { SETTLING_MS } from '#core/fleet/sequences.ts';
import { openTestDatabase, type TestDatabase } from '#tests/kit/database.ts';
import { openTestBus, openTestNats, quiet } from '#tests/kit/nats.ts';
import { startProcesses, type TestProcesses } from '#tests/kit/processes.ts';
import { seedTenant, type TenantSeed } from '#tests/kit/seed.ts';
import { until } from '#tests/kit/wait.ts';

const HOUR_AGO = Date.now() - 3_600_000;
const opened = new AsyncDisposableStack();
let database: TestDatabase;
let processes: TestProcesses;
let frames: FramePublisher;
let acme: TenantSeed;
const events: SequenceEvent[] = [];

beforeAll(async () => {
  database = opened.use(await openTestDatabase());
  const nats = opened.use(await openTestNats());
  const bus = opened.use(await openTestBus(nats));
  processes = opened.use(
    await startProcesses({
      database,
      natsUrl: nats.url,
      start: ['ingest', 'relay'],
      env: { INGEST_SEQUENCE_FOLD_MS: '100' },
    }),
  );
  const publisher = opened.adopt(createPublisher(bus, quiet), (each) => each.close());
  frames = createFramePublisher({ publisher, shards: 16 });
  acme = await seedTenant(database.admin, 'acme');
  const following = follow({
    bus,
    stream: 'EVENTS',
    filter: 'events.*.sequence',
    from: 1,
    log: quiet,
    onMessage: (message) => {
      const decoded = decodeEvents(message.data);
      if (decoded.kind === 'sequence') events.push(...decoded.parts.flatMap((part) => part.events));
    },
    onLost: () => undefined,
  });
  opened.defer(() => following.stop());
});

afterAll(() => opened.disposeAsync());

const send = (device: string, payload: unknown, over: Partial<FrameItem> = {}): Promise<Receipt> =>
  new Promise((resolve, reject) => {
    const item: FrameItem = {
      tenant: 'acme',
      device,
      kind: 'telemetry',
      dialect: 'canonical',
      source: 'mqtt',
      dup: false,
      receivedAt: Date.now(),
      payload: Buffer.from(JSON.stringify(payload)),
      ...over,
    };
    frames.add(item, (error, receipt) => (receipt ? resolve(receipt) : reject(error)));
  });

/** Messages with a time of their own, one after the other. */
async function sendNumbers(device: string, boot: number, ...numbers: readonly number[]): Promise<void> {
  for (const seq of numbers) {
    await send(device, { ts: HOUR_AGO + seq, seq, boot, metrics: { a: seq } });
  }
}

const sequenceOf = async (deviceId: number, boot = 0) =>
  (
    await database.admin.query(
      `select last_seq::int, received::int, duplicates::int, out_of_order::int, missing::int, ranges
       from device_sequences where device_id = $1 and boot = $2`,
      [deviceId, boot],
    )
  ).rows[0];

const readingsOf = async (deviceId: number) =>
  (
    await database.admin.query(
      'select ts, metrics, dup_possible from readings where device_id = $1 order by ts',
      [deviceId],
    )
  ).rows;

/** When a device's numbers are folded up to this many messages. */
const folded = (deviceId: number, messages: number, boot = 0) =>
  until('the fold', async () => {
    const row = await sequenceOf(deviceId, boot);
    return row && row.received + row.duplicates === messages && row;
  });

describe('sequences', () => {
  it('counts what is missing, came again and came late, for each life of a device', async () => {
    const device = await acme.device('counting');
    await sendNumbers('counting', 0, 1, 2, 5, 4, 2);
    await sendNumbers('counting', 7, 1, 2);
    expect(await folded(device.id, 5)).toMatchObject({
      last_seq: 5,
      received: 4,
      duplicates: 1,
      out_of_order: 1,
      missing: 1,
    });
    expect(await folded(device.id, 2, 7)).toMatchObject({ last_seq: 2, received: 2, missing: 0 });
  });

  it('makes a gap known when it has settled, and its healing when late data comes', async () => {
    const device = await acme.device('gapped');
    const began = Date.now();
    await sendNumbers('gapped', 0, 1, 2, 6);
    const gap = await until('the gap', () => events.find((each) => each.device === 'gapped'));
    expect(gap).toMatchObject({ deviceId: device.id, change: 'GAP', boot: 0, from: 3, to: 5 });
    expect(gap.at - began).toBeGreaterThanOrEqual(SETTLING_MS);
    expect(gap.firstSeenAt).toBeGreaterThanOrEqual(began);
    expect(gap.firstSeenAt).toBeLessThanOrEqual(gap.at - SETTLING_MS);

    await sendNumbers('gapped', 0, 4);
    const rowOf = async () =>
      (
        await database.admin.query(
          'select missing::int, first_seen_at, healed_at from sequence_gaps where device_id = $1',
          [device.id],
        )
      ).rows;
    await until('the rest of the gap', async () => (await rowOf())[0]?.missing === 2);
    expect(events.filter((each) => each.device === 'gapped')).toHaveLength(1);
    await sendNumbers('gapped', 0, 3, 5);
    const healed = await until('the healing', () =>
      events.find((each) => each.device === 'gapped' && each.change === 'HEALED'),
    );
    expect(healed).toMatchObject({ from: 3, to: 5 });
    expect(await rowOf()).toMatchObject([{ missing: 0, healed_at: expect.any(Date) }]);
    await until('both to be counted', async () => {
      const answer = await fetch(`http://127.0.0.1:${processes.healthPort('ingest')}/metrics`);
      const text = await answer.text();
      return (
        /fleetgraph_ingest_sequence_gaps_total\{change="healed"\} [1-9]/.test(text) &&
        /fleetgraph_ingest_sequence_messages_total\{what="missing"\} [1-9]/.test(text)
      );
    });
  });

  it('says nothing of a gap that closes while it settles', async () => {
    const device = await acme.device('reordered');
    await sendNumbers('reordered', 0, 1, 3, 2, 4);
    expect(await folded(device.id, 4)).toMatchObject({ received: 4, missing: 0, out_of_order: 1 });
    const waiting = await database.admin.query(
      'select from device_sequences where device_id = $1 and settles_at is not null',
      [device.id],
    );
    expect(waiting.rowCount).toBe(0);
  });

  it('counts a message of many readings once', async () => {
    const device = await acme.device('meter');
    const measurements = [1, 2, 3].map((second) => ({ ts: HOUR_AGO + second, type: 'v', val: second }));
    await send('meter', { v: 2, device_id: 'meter', seq: 9, measurements }, { dialect: 'meter2' });
    expect(await folded(device.id, 1)).toMatchObject({ received: 1, duplicates: 0, last_seq: 9 });
    expect(await readingsOf(device.id)).toHaveLength(3);
  });
});

describe('a numbered message without a time', () => {
  it('is stored once, however often it is sent', async () => {
    const device = await acme.device('timeless');
    const message = { seq: 1, metrics: { a: 1, b: 'x' } };
    await send('timeless', message);
    await until('the row', async () => (await readingsOf(device.id)).length === 1);
    await send('timeless', message, { receivedAt: Date.now() + 5_000, dup: true });
    await Promise.all(
      [1, 2, 3].map((ms) => send('timeless', message, { receivedAt: Date.now() + ms, dup: true })),
    );
    await send('timeless', { seq: 2, metrics: { a: 1, b: 'x' } });
    expect(await folded(device.id, 6)).toMatchObject({ received: 2, duplicates: 4 });
    expect(await readingsOf(device.id)).toMatchObject([{ dup_possible: false }, { dup_possible: false }]);
  });

  it('is another one when the device counts anew without saying so', async () => {
    const device = await acme.device('restarted');
    await send('restarted', { seq: 1, metrics: { a: 1 } });
    await until('the row', async () => (await readingsOf(device.id)).length === 1);
    await send('restarted', { seq: 1, metrics: { a: 2 } });
    await until('the second row', async () => (await readingsOf(device.id)).length === 2);
  });

  it('is stored once when two replicas take it at the same moment', async () => {
    const device = await acme.device('raced');
    const now = Date.now();
    await database.admin.query(
      `select ensure_partition('readings', ($1::timestamptz at time zone 'utc')::date),
      ensure_partition('ingest_frames', ($1::timestamptz at time zone 'utc')::date)`,
      [new Date(now)],
    );
    const row = (seq: number, index: number): ReadingRow => ({
      tenantId: acme.id,
      deviceId: device.id,
      ts: now + index,
      id: sequenceId(3, seq),
      receivedAt: now + index,
      lat: undefined,
      lng: undefined,
      dupPossible: false,
      timeless: true,
      metrics: JsonText.of('{"a":1}'),
      itemIndex: 0,
      slot: 0,
      entry: 0,
      replayOf: undefined,
    });
    const store = (each: ReadingRow) =>
      transaction(database.worker, async (connection) => {
        const resends = await findResends(connection, [each]);
        if (resends.size > 0) return 0;
        return 1 - (await storeReadings(connection, [each])).known.size;
      });
    for (let seq = 1; seq <= 20; seq++) {
      const fresh = await Promise.all([1, 2, 3, 4].map((index) => store(row(seq, index))));
      expect(fresh.sort()).toEqual([0, 0, 0, 1]);
    }
    expect(await readingsOf(device.id)).toHaveLength(20);
  });
});
