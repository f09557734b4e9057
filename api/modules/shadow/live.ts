import { all, sql } from '#api/database/sql.ts';
import { type Operation, requirePermission } from '#api/graphql/context.ts';
import { abortable } from '#api/live/abortable.ts';
import { untilCredentialEnds } from '#api/live/credential-end.ts';
import { type Position, WHOLE } from '#api/live/cursor.ts';
import type { LiveFilter } from '#api/live/filter.ts';
import { type StreamGap, toGap } from '#api/live/gap.ts';
import { AuthenticationError } from '#core/auth/authentication-error.ts';
import type { ShadowEvent } from '#core/bus/events.ts';
import type { DeviceStub } from '../devices/service.ts';
import { readLiveFilter } from '../telemetry/service.ts';

export interface ShadowSnapshot {
  readonly type: 'ShadowSnapshot';
  readonly cursor: string;
  readonly devices: readonly DeviceStub[];
}

export interface ShadowChange {
  readonly type: 'ShadowChange';
  readonly cursor: string;
  readonly event: ShadowEvent;
}

export type ShadowPayload = ShadowSnapshot | ShadowChange | StreamGap;

export interface ShadowArgs {
  readonly where?:
    | {
        readonly deviceIds?: readonly string[] | null | undefined;
        readonly deviceKeys?: readonly string[] | null | undefined;
        readonly siteKeys?: readonly string[] | null | undefined;
      }
    | null
    | undefined;
  readonly after?: string | null | undefined;
}

const SNAPSHOT_DEVICES = 1_000;

/**
 * Follows shadows: without `after` the devices first that have one. The snapshot is as of a moment behind its cursor, so a change
 * that it shows already may come again; changes carry versions.
 */
export async function followShadows(
  operation: Operation,
  args: ShadowArgs,
): Promise<AsyncGenerator<ShadowPayload>> {
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
      kind: 'shadow',
      filter,
      from: start,
      fromAt: start.at,
      signal: untilCredentialEnds(operation, signal),
    });
    for await (const delivery of deliveries) {
      if (delivery.type === 'gap') {
        yield toGap(operation, delivery, null);
        yield* (await readSnapshot(operation, filter)).pieces;
      } else if ('side' in delivery.event) {
        yield {
          type: 'ShadowChange',
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
  readonly pieces: readonly ShadowSnapshot[];
}

/** The devices, read after the place on the stream: whatever changes behind the place comes as an event. */
async function readSnapshot(operation: Operation, filter: LiveFilter): Promise<SnapshotStart> {
  const { viewer, platform } = operation;
  const at = Date.now();
  const stream = await platform.live.streamState();
  const position: Position = { created: stream.created, sequence: stream.last, index: WHOLE };
  const devices = await platform.readSnapshot(operation, (scope) =>
    scope.rows<{ id: number; key: string }>(
      sql`select d.id, d.key from device_shadows s join devices d on d.id = s.device_id where ${all([
        ...(filter.deviceIds ? [sql`d.id = any(${[...filter.deviceIds]}::int[])`] : []),
        ...(filter.deviceKeys ? [sql`d.key = any(${[...filter.deviceKeys]}::text[])`] : []),
        ...(filter.siteIds ? [sql`d.site_id = any(${[...filter.siteIds]}::int[])`] : []),
      ])} order by d.id`,
    ),
  );
  const pieces: ShadowSnapshot[] = [];
  for (let begin = 0; begin === 0 || begin < devices.length; begin += SNAPSHOT_DEVICES) {
    const isLast = begin + SNAPSHOT_DEVICES >= devices.length;
    pieces.push({
      type: 'ShadowSnapshot',
      cursor: platform.live.sealCursor(viewer, position, at, !isLast),
      devices: devices.slice(begin, begin + SNAPSHOT_DEVICES),
    });
  }
  return { ...position, at, pieces };
}
