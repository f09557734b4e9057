import { sql } from '#api/database/sql.ts';
import type { Bundled } from '#api/graphql/bundles.ts';
import { type Operation, requirePermission } from '#api/graphql/context.ts';
import { badInput } from '#api/graphql/errors.ts';
import { abortable } from '#api/live/abortable.ts';
import { type Conflatable, conflate } from '#api/live/conflate.ts';
import { untilCredentialEnds } from '#api/live/credential-end.ts';
import { type Position, WHOLE } from '#api/live/cursor.ts';
import type { LiveFilter } from '#api/live/filter.ts';
import { type StreamGap, toGap } from '#api/live/gap.ts';
import type { QueuedEvent } from '#api/live/queue.ts';
import { cutSnapshot, type LiveSnapshot, type SnapshotStart } from '#api/live/snapshot.ts';
import type { Gap } from '#api/live/subscriber.ts';
import { AuthenticationError } from '#core/auth/authentication-error.ts';
import type { TelemetryEvent } from '#core/bus/events.ts';
import type { DeviceStub } from '../devices/service.ts';
import { deviceConditions, type LiveFilterInput, readLiveFilter } from './live-filter.ts';
import { type LatestColumn, type LatestValue, toLatestValues } from './store.ts';

export interface DeviceLatest {
  readonly device: DeviceStub;
  readonly values: readonly LatestValue[];
}

export type TelemetrySnapshot = LiveSnapshot<'TelemetrySnapshot', DeviceLatest>;

export interface TelemetryReading {
  readonly type: 'TelemetryReading';
  /** May be made only when it is asked for: not everybody does. */
  readonly cursor: string;
  readonly event: TelemetryEvent;
}

export type TelemetryPayload = TelemetrySnapshot | TelemetryReading | StreamGap;

export interface TelemetryArgs {
  readonly where?: LiveFilterInput | null | undefined;
  readonly after?: string | null | undefined;
  readonly maxHz?: number | null | undefined;
}

const MAX_HZ = 100;

/**
 * Follows readings: without `after` the newest values first, then everything behind that snapshot; with it everything
 * behind that cursor. Never ends by itself, except when the viewer's credential does.
 */
export async function followTelemetry(
  operation: Operation,
  args: TelemetryArgs,
): Promise<Bundled<TelemetryPayload>> {
  requirePermission(operation, 'telemetry.read');
  requirePermission(operation, 'devices.read');
  const { maxHz } = args;
  if (maxHz != null && !(maxHz > 0 && maxHz <= MAX_HZ))
    throw badInput(`maxHz must be above 0 and at most ${MAX_HZ}`);
  const filter = await readLiveFilter(operation, args.where ?? {});
  const { live } = operation.platform;
  const resumed = args.after == null ? undefined : live.openCursor(operation.viewer, args.after);
  return abortable<TelemetryPayload>(async function* (signal) {
    let start = resumed?.partial ? undefined : resumed;
    let cursor = args.after ?? '';
    if (!start) {
      const snapshot = await readSnapshot(operation, filter);
      start = { ...snapshot, tenantId: 0, shard: 0, partial: false };
      for (const piece of snapshot.pieces) {
        cursor = piece.cursor;
        yield [piece];
      }
    }
    const deliveries = live.deliver({
      tenant: operation.viewer,
      kind: 'telemetry',
      filter,
      from: start,
      fromAt: start.at,
      signal: untilCredentialEnds(operation, signal),
    });
    if (maxHz == null) {
      for await (const bundle of deliveries) {
        const payloads: TelemetryPayload[] = [];
        for (const delivery of bundle) {
          if (delivery.type === 'gap') payloads.push(...(await told(operation, filter, delivery)));
          else if ('metrics' in delivery.event)
            payloads.push(new DeliveredReading(delivery, wantedOf(delivery.event, filter)));
        }
        if (payloads.length > 0) yield payloads;
      }
    } else {
      const found = toConflatable(operation, filter, deliveries);
      const onMerged = () => live.metrics.conflated.inc();
      for await (const item of conflate(found, { maxHz, cursor, signal, onMerged })) {
        if ('other' in item) yield [item.other];
        else {
          const { cursor, event } = item.reading;
          yield [{ type: 'TelemetryReading', cursor, event: wantedOf(event, filter) }];
        }
      }
    }
    if (!signal.aborted) throw new AuthenticationError('expired', 'the credential has expired');
  }, operation.signal);
}

/** A reading just as it was delivered. */
class DeliveredReading implements TelemetryReading {
  readonly type = 'TelemetryReading';
  readonly event: TelemetryEvent;
  readonly #delivery: QueuedEvent;

  constructor(delivery: QueuedEvent, event: TelemetryEvent) {
    this.#delivery = delivery;
    this.event = event;
  }

  get cursor(): string {
    const { entry, part, index } = this.#delivery;
    return entry.cursor(part, index);
  }
}

async function* toConflatable(
  operation: Operation,
  filter: LiveFilter,
  deliveries: ReturnType<Operation['platform']['live']['deliver']>,
): AsyncGenerator<Conflatable<StreamGap>> {
  for await (const bundle of deliveries) {
    for (const delivery of bundle) {
      if (delivery.type === 'gap') {
        for (const other of await told(operation, filter, delivery)) yield { other, cursor: other.cursor };
        continue;
      }
      const { entry, part, index, event } = delivery;
      if ('metrics' in event) yield { reading: { event, cursor: entry.cursor(part, index) } };
    }
  }
}

/** The gap as it is told; nothing when nothing can have been missed. */
async function told(operation: Operation, filter: LiveFilter, gap: Gap): Promise<readonly StreamGap[]> {
  const missed = await countMissed(operation, filter, gap);
  return missed === 0 ? [] : [toGap(operation, gap, missed)];
}

/** The event with no other metrics than those asked for. */
function wantedOf(event: TelemetryEvent, { metrics: wanted }: LiveFilter): TelemetryEvent {
  if (!wanted) return event;
  const metrics = Object.fromEntries(Object.entries(event.metrics).filter(([metric]) => wanted.has(metric)));
  if (!event.flags) return { ...event, metrics };
  const flags = Object.fromEntries(Object.entries(event.flags).filter(([metric]) => wanted.has(metric)));
  return { ...event, metrics, flags };
}

/** The newest values and the place on the stream they are exact at, read in one state of the database. */
async function readSnapshot(
  operation: Operation,
  filter: LiveFilter,
): Promise<SnapshotStart<'TelemetrySnapshot', DeviceLatest>> {
  const { live, readSnapshot: readAtOnce } = operation.platform;
  const shard = live.shardOf(operation.viewer);
  const stream = await live.streamState();
  const { cursors, devices } = await readAtOnce(operation, async (scope) => ({
    cursors: await scope.rows<{ created: Date; sequence: string; updatedAt: Date }>(
      sql`select stream_created_at as created, sequence, updated_at as "updatedAt" from follower_cursors
          where follower = 'device_latest' and shard = ${shard}`,
    ),
    devices: await scope.rows<{ id: number; key: string; metrics: LatestColumn }>(
      sql`select d.id, d.key, l.metrics from device_latest l join devices d on d.id = l.device_id
          where ${deviceConditions(filter)} order by d.id`,
    ),
  }));
  const [cursor] = cursors;
  const position: Position = cursor
    ? { created: sameStream(cursor.created, stream.created), sequence: Number(cursor.sequence), index: WHOLE }
    : { created: stream.created, sequence: Math.max(0, stream.first - 1), index: WHOLE };
  const at = cursor?.updatedAt.getTime() ?? 0;
  const rows = devices
    .map(({ id, key, metrics }) => ({
      device: { id, key },
      values: toLatestValues(metrics).filter(({ metric }) => !filter.metrics || filter.metrics.has(metric)),
    }))
    .filter(({ values }) => values.length > 0);
  return cutSnapshot(operation, 'TelemetrySnapshot', { position, at, rows });
}

/** The database keeps milliseconds, rounded; the stream's own time is finer. */
function sameStream(stored: Date, created: number): number {
  return Math.abs(stored.getTime() - created) <= 1 ? created : stored.getTime();
}

/** An event is published some time after its reading was stored, and two servers' clocks differ a little. */
const MARGIN_MS = 10_000;
const COUNT_LIMIT = 1_000_000;

/**
 * Readings stored in the time that a gap stands for: 0 means that nothing can have been missed, null that nobody can say
 * how many were.
 */
async function countMissed(operation: Operation, filter: LiveFilter, gap: Gap): Promise<number | null> {
  const since = new Date(Math.max(0, gap.fromAt));
  const until = new Date(gap.toAt);
  const margin = sql`${MARGIN_MS} * interval '1 millisecond'`;
  try {
    const [row] = await operation.read.rows<{ near: number; certain: number }>(
      sql`select count(*)::int as near,
            count(*) filter (where stored_at > ${since}::timestamptz and stored_at <= ${until}::timestamptz)::int as certain
          from (select r.stored_at from tenant_readings r join devices d on d.id = r.device_id
                where r.stored_at > ${since}::timestamptz - ${margin} and r.stored_at <= ${until}::timestamptz + ${margin}
                  and ${deviceConditions(filter)}
                limit ${COUNT_LIMIT}) missed`,
    );
    if (!row || row.near >= COUNT_LIMIT) return null;
    return row.certain > 0 ? row.certain : row.near > 0 ? null : 0;
  } catch (error) {
    operation.log.warn({ err: error }, 'a gap could not be counted');
    return null;
  } finally {
    await operation.read.release();
  }
}
