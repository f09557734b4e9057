import { all, sql } from '#api/database/sql.ts';
import { type Operation, requirePermission } from '#api/graphql/context.ts';
import { abortable } from '#api/live/abortable.ts';
import { untilCredentialEnds } from '#api/live/credential-end.ts';
import { type Position, WHOLE } from '#api/live/cursor.ts';
import type { LiveFilter } from '#api/live/filter.ts';
import { type StreamGap, toGap } from '#api/live/gap.ts';
import { AuthenticationError } from '#core/auth/authentication-error.ts';
import type { PresenceEvent } from '#core/bus/events.ts';
import type { DeviceStub } from '../devices/service.ts';
import { readLiveFilter } from '../telemetry/service.ts';

export interface PresenceSnapshot {
  readonly type: 'PresenceSnapshot';
  readonly cursor: string;
  readonly devices: readonly DeviceStub[];
}

export interface PresenceChange {
  readonly type: 'PresenceChange';
  readonly cursor: string;
  readonly event: PresenceEvent;
}

export type PresencePayload = PresenceSnapshot | PresenceChange | StreamGap;

export interface PresenceArgs {
  readonly where?:
    | {
        readonly deviceIds?: readonly string[] | null | undefined;
        readonly siteKeys?: readonly string[] | null | undefined;
      }
    | null
    | undefined;
  readonly after?: string | null | undefined;
}

const SNAPSHOT_DEVICES = 1_000;

/**
 * Follows presence: without `after` the devices as they are first. The snapshot is as of a moment behind its cursor, so a
 * change that it shows already may come again; changes are whole states, and the last one is right.
 */
export async function followPresence(
  operation: Operation,
  args: PresenceArgs,
): Promise<AsyncGenerator<PresencePayload>> {
  requirePermission(operation, 'devices.read');
  const filter = await readLiveFilter(operation, args.where ?? {});
  const { live } = operation.platform;
  const resumed = args.after == null ? undefined : live.openCursor(operation.viewer, args.after);
  return abortable(async function* (signal) {
    let start = resumed?.partial ? undefined : resumed;
    if (!start) {
      const snapshot = await readSnapshot(operation, filter);
      start = { ...snapshot, tenantId: 0, shard: 0, partial: false };
      yield* snapshot.pieces;
    }
    const deliveries = live.deliver({
      tenant: operation.viewer,
      kind: 'presence',
      filter,
      from: start,
      fromAt: start.at,
      signal: untilCredentialEnds(operation, signal),
    });
    for await (const delivery of deliveries) {
      if (delivery.type === 'gap') {
        yield toGap(operation, delivery, null);
        yield* (await readSnapshot(operation, filter)).pieces;
      } else if ('connection' in delivery.event) {
        yield {
          type: 'PresenceChange',
          cursor: delivery.entry.cursor(delivery.part, delivery.index),
          event: delivery.event,
        };
      }
    }
    if (!signal.aborted) throw new AuthenticationError('expired', 'the credential has expired');
  }, operation.signal);
}

interface SnapshotStart extends Position {
  readonly at: number;
  readonly pieces: readonly PresenceSnapshot[];
}

/** The devices, read after the place on the stream: whatever changes behind the place comes as an event. */
async function readSnapshot(operation: Operation, filter: LiveFilter): Promise<SnapshotStart> {
  const { viewer, platform } = operation;
  const at = Date.now();
  const stream = await platform.live.streamState();
  const position: Position = { created: stream.created, sequence: stream.last, index: WHOLE };
  const devices = await platform.readSnapshot(operation, (scope) =>
    scope.rows<{ id: number; key: string }>(
      sql`select d.id, d.key from devices d where ${all([
        ...(filter.deviceIds ? [sql`d.id = any(${[...filter.deviceIds]}::int[])`] : []),
        ...(filter.siteIds ? [sql`d.site_id = any(${[...filter.siteIds]}::int[])`] : []),
      ])} order by d.id`,
    ),
  );
  const pieces: PresenceSnapshot[] = [];
  for (let begin = 0; begin === 0 || begin < devices.length; begin += SNAPSHOT_DEVICES) {
    const isLast = begin + SNAPSHOT_DEVICES >= devices.length;
    pieces.push({
      type: 'PresenceSnapshot',
      cursor: platform.live.sealCursor(viewer, position, at, !isLast),
      devices: devices.slice(begin, begin + SNAPSHOT_DEVICES),
    });
  }
  return { ...position, at, pieces };
}
