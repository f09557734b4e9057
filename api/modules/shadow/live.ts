import { sql } from '#api/database/sql.ts';
import { type Operation, requirePermission } from '#api/graphql/context.ts';
import { followChanges, type LiveChange } from '#api/live/follow.ts';
import type { StreamGap } from '#api/live/gap.ts';
import type { LiveSnapshot } from '#api/live/snapshot.ts';
import type { ShadowEvent } from '#core/bus/events.ts';
import type { DeviceStub } from '../devices/service.ts';
import { deviceConditions, type LiveFilterInput, readLiveFilter } from '../telemetry/service.ts';

export type ShadowSnapshot = LiveSnapshot<'ShadowSnapshot', DeviceStub>;
export type ShadowChange = LiveChange<'ShadowChange', ShadowEvent>;

export interface ShadowArgs {
  readonly where?: Omit<LiveFilterInput, 'metrics'> | null | undefined;
  readonly after?: string | null | undefined;
}

/** Follows shadows: without `after` the devices first that have one. Changes carry versions. */
export async function followShadows(
  operation: Operation,
  { where, after }: ShadowArgs,
): Promise<AsyncGenerator<ShadowSnapshot | ShadowChange | StreamGap>> {
  requirePermission(operation, 'devices.read');
  const filter = await readLiveFilter(operation, where ?? {});
  return followChanges(operation, {
    ...{ kind: 'shadow', filter, after },
    names: { snapshot: 'ShadowSnapshot', change: 'ShadowChange' },
    readRows: () =>
      operation.platform.readSnapshot(operation, (scope) =>
        scope.rows<{ id: number; key: string }>(
          sql`select d.id, d.key from device_shadows s join devices d on d.id = s.device_id
              where ${deviceConditions(filter)} order by d.id`,
        ),
      ),
    isWanted: (event) => 'side' in event,
  });
}
