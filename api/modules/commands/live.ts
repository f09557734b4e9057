import { type Operation, requirePermission } from '#api/graphql/context.ts';
import { followChanges, type LiveChange } from '#api/live/follow.ts';
import type { StreamGap } from '#api/live/gap.ts';
import type { LiveSnapshot } from '#api/live/snapshot.ts';
import type { CommandChangedEvent } from '#core/bus/events.ts';
import { type CommandFilterInput, readFilter } from './service.ts';
import { type CommandFilter, type CommandRow, type CommandStub, openCommands } from './store.ts';

export type CommandSnapshot = LiveSnapshot<'CommandSnapshot', CommandRow>;
export type CommandChange = LiveChange<'CommandChange', CommandChangedEvent>;

export interface CommandArgs {
  readonly where?: CommandFilterInput | null | undefined;
  readonly after?: string | null | undefined;
}

/** Follows commands: without `after` those first that are not finished. Changes say the whole state, and the last one is right. */
export async function followCommands(
  operation: Operation,
  { where, after }: CommandArgs,
): Promise<AsyncGenerator<CommandSnapshot | CommandChange | StreamGap>> {
  requirePermission(operation, 'devices.read');
  const filter = readFilter(where ?? {});
  return followChanges(operation, {
    ...{ kind: 'command', after },
    filter: { deviceKeys: filter.deviceKeys ? new Set(filter.deviceKeys) : undefined },
    names: { snapshot: 'CommandSnapshot', change: 'CommandChange' },
    readRows: () =>
      operation.platform.readSnapshot(operation, (scope) => scope.rows<CommandRow>(openCommands(filter))),
    isWanted: (event): event is CommandChangedEvent => 'commandId' in event && isWanted(filter, event),
  });
}

/** Whether a change is wanted, by everything but its device. */
function isWanted(filter: CommandFilter, event: CommandChangedEvent): boolean {
  const { types, statuses, jobRow, createdAfter, createdBefore } = filter;
  return (
    (types?.includes(event.type) ?? true) &&
    (statuses?.includes(event.status) ?? true) &&
    (jobRow === undefined || event.jobId === jobRow) &&
    (!createdAfter || event.createdAt >= createdAfter.getTime()) &&
    (!createdBefore || event.createdAt < createdBefore.getTime())
  );
}

const toDate = (ms: number | null): Date | null => (ms === null ? null : new Date(ms));

/** The command as an event tells it. */
export const stubOf = (event: CommandChangedEvent): CommandStub => ({
  ...event,
  createdAt: new Date(event.createdAt),
  expiresAt: new Date(event.expiresAt),
  sentAt: toDate(event.sentAt),
  acknowledgedAt: toDate(event.acknowledgedAt),
  finishedAt: toDate(event.finishedAt),
});
