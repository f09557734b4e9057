import { sql } from '#api/database/sql.ts';
import { type Operation, requirePermission } from '#api/graphql/context.ts';
import { followChanges, type LiveChange } from '#api/live/follow.ts';
import type { StreamGap } from '#api/live/gap.ts';
import type { LiveSnapshot } from '#api/live/snapshot.ts';
import type { PresenceEvent } from '#core/bus/events.ts';
import type { DeviceStub } from '../devices/service.ts';
import { deviceConditions, type LiveFilterInput, readLiveFilter } from '../telemetry/service.ts';

export type PresenceSnapshot = LiveSnapshot<'PresenceSnapshot', DeviceStub>;
export type PresenceChange = LiveChange<'PresenceChange', PresenceEvent>;

export interface PresenceArgs {
  readonly where?: Pick<LiveFilterInput, 'deviceIds' | 'siteKeys'> | null | undefined;
  readonly after?: string | null | undefined;
}

/** Follows presence: without `after` the devices as they are first. Changes are whole states, and the last one is right. */
export async function followPresence(
  operation: Operation,
  { where, after }: PresenceArgs,
): Promise<AsyncGenerator<PresenceSnapshot | PresenceChange | StreamGap>> {
  requirePermission(operation, 'devices.read');
  const filter = await readLiveFilter(operation, where ?? {});
  return followChanges(operation, {
    ...{ kind: 'presence', filter, after },
    names: { snapshot: 'PresenceSnapshot', change: 'PresenceChange' },
    readRows: () =>
      operation.platform.readSnapshot(operation, (scope) =>
        scope.rows<{ id: number; key: string }>(
          sql`select d.id, d.key from devices d where ${deviceConditions(filter)} order by d.id`,
        ),
      ),
    isWanted: (event) => 'connection' in event,
  });
}
