import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createFramePublisher, type FramePublisher } from '#core/bus/frame-publisher.ts';
import { createPublisher } from '#core/bus/publish.ts';
import { openTestDatabase, type TestDatabase } from '#tests/kit/database.ts';
import { openTestBus, openTestNats, quiet } from '#tests/kit/nats.ts';
import { startProcesses } from '#tests/kit/processes.ts';
import { seedTenant, type TenantSeed } from '#tests/kit/seed.ts';
import { until } from '#tests/kit/wait.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const opened = new AsyncDisposableStack();
let database: TestDatabase;
let frames: FramePublisher;
let acme: TenantSeed;

beforeAll(async () => {
  database = opened.use(await openTestDatabase());
  const nats = opened.use(await openTestNats());
  const bus = opened.use(await openTestBus(nats));
  opened.use(
    await startProcesses({ database, natsUrl: nats.url, start: ['ingest', 'evaluator', 'janitor'] }),
  );
  const publisher = opened.adopt(createPublisher(bus, quiet), (each) => each.close());
  frames = createFramePublisher({ publisher, shards: 16 });
  acme = await seedTenant(database.admin, 'acme', 90);
});
afterAll(() => opened.disposeAsync());

const send = (device: string, ts: number, value: number) =>
  new Promise((resolve, reject) => {
    frames.add(
      {
        ...{ tenant: 'acme', device, kind: 'telemetry', dialect: 'canonical', source: 'mqtt', dup: false },
        receivedAt: Date.now(),
        payload: Buffer.from(JSON.stringify({ ts, metrics: { a: value } })),
      },
      (error, receipt) => (receipt ? resolve(receipt) : reject(error)),
    );
  });

const dayOf = (ms: number) => new Date(ms).toISOString().slice(0, 10).replaceAll('-', '');

/** In which partition the reading of a time is. */
const partitionOf = (deviceId: number, ts: number) =>
  until('the reading', async () => {
    const { rows } = await database.admin.query<{ partition: string }>(
      'select tableoid::regclass::text as partition from readings where device_id = $1 and ts = $2',
      [deviceId, new Date(ts)],
    );
    return rows[0]?.partition;
  });

const latestOf = async (deviceId: number) =>
  (
    await database.admin.query('select metrics, newest_ts from device_latest where device_id = $1', [
      deviceId,
    ])
  ).rows[0];

describe('late and future data', () => {
  it('has the partitions of the days ahead before anybody needs them', async () => {
    await until('the janitor', async () => {
      const { rows } = await database.admin.query<{ part: string }>(
        `select inhrelid::regclass::text as part from pg_inherits where inhparent = 'readings'::regclass`,
      );
      const parts = rows.map(({ part }) => part);
      return [0, 1, 2].every((days) => parts.includes(`readings_${dayOf(Date.now() + days * DAY_MS)}`));
    });
  });

  it('puts every reading into the partition of its own day, made when it is not there', async () => {
    const device = await acme.device('anytime');
    const now = Date.now();
    const times = [now - 80 * DAY_MS, now - 25 * DAY_MS, now - DAY_MS, now, now + 23 * HOUR_MS];
    for (const [index, ts] of times.entries()) await send('anytime', ts, index);
    for (const ts of times) expect(await partitionOf(device.id, ts)).toBe(`readings_${dayOf(ts)}`);
    const refused = [now - 91 * DAY_MS, now + 25 * HOUR_MS];
    for (const ts of refused) await send('anytime', ts, 9);
    const reasons = await until('what was turned away', async () => {
      const { rows } = await database.admin.query<{ reason: string }>(
        'select reason from quarantine where device_id = $1 order by id',
        [device.id],
      );
      return rows.length === 2 && rows.map(({ reason }) => reason);
    });
    expect(reasons).toEqual(['TOO_OLD', 'IN_FUTURE']);
  });

  it('makes a partition again that somebody dropped', async () => {
    const device = await acme.device('dropped');
    const ts = Date.now() - 40 * DAY_MS;
    await send('dropped', ts, 1);
    const partition = await partitionOf(device.id, ts);
    await database.admin.query(`drop table ${partition}`);
    await send('dropped', ts + 1, 2);
    expect(await partitionOf(device.id, ts + 1)).toBe(partition);
  });

  it('never lets the latest value go back in time, in whatever order readings of a skewed clock arrive', async () => {
    const device = await acme.device('skewed');
    const now = Date.now();
    const offsets = [0, -30 * DAY_MS, -HOUR_MS, 5 * HOUR_MS, -5, 4 * HOUR_MS, HOUR_MS, -70 * DAY_MS];
    let newest = Number.NEGATIVE_INFINITY;
    let seen = 0;
    for (const [index, offset] of offsets.entries()) {
      await send('skewed', now + offset, index);
      newest = Math.max(newest, now + offset);
      await partitionOf(device.id, now + offset);
      const latest = await latestOf(device.id);
      if (latest) {
        const at = latest.newest_ts.getTime();
        expect(at).toBeGreaterThanOrEqual(seen);
        seen = at;
      }
    }
    const settled = await until('the newest value', async () => {
      const latest = await latestOf(device.id);
      return latest?.newest_ts.getTime() === newest && latest;
    });
    expect(settled.metrics.a.slice(0, 2)).toEqual([3, now + 5 * HOUR_MS]);
  });

  it('judges presence by the time of arrival, not by the clock of the device', async () => {
    const device = await acme.device('wrong-clock');
    await send('wrong-clock', Date.now() - 60 * DAY_MS, 1);
    const seenAt = await until('presence', async () => {
      const { rows } = await database.admin.query<{ freshness: string; last_seen_at: Date }>(
        'select freshness, last_seen_at from device_presence where device_id = $1',
        [device.id],
      );
      return rows[0]?.freshness === 'FRESH' && rows[0].last_seen_at;
    });
    expect(Date.now() - seenAt.getTime()).toBeLessThan(600_000);
  });
});
