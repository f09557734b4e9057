import { type Operation, requirePermission } from '#api/graphql/context.ts';
import { abortable } from '#api/live/abortable.ts';
import { untilCredentialEnds } from '#api/live/credential-end.ts';
import { type Position, WHOLE } from '#api/live/cursor.ts';
import { type StreamGap, toGap } from '#api/live/gap.ts';
import { AuthenticationError } from '#core/auth/authentication-error.ts';
import type { CommandChangedEvent } from '#core/bus/events.ts';
import { type CommandFilterInput, readFilter } from './service.ts';
import { type CommandFilter, type CommandRow, type CommandStub, openCommands } from './store.ts';

export interface CommandSnapshot {
  readonly type: 'CommandSnapshot';
  readonly cursor: string;
  readonly commands: readonly CommandRow[];
}

export interface CommandChange {
  readonly type: 'CommandChange';
  readonly cursor: string;
  readonly event: CommandChangedEvent;
}

export type CommandPayload = CommandSnapshot | CommandChange | StreamGap;

export interface CommandArgs {
  readonly where?: CommandFilterInput | null | undefined;
  readonly after?: string | null | undefined;
}

const SNAPSHOT_COMMANDS = 1_000;

/**
 * Follows commands: without `after` those first that are not finished. The snapshot is as of a moment behind its cursor, so a
 * change that it shows already may come again; changes say the whole state, and the last one is right.
 */
export async function followCommands(
  operation: Operation,
  args: CommandArgs,
): Promise<AsyncGenerator<CommandPayload>> {
  requirePermission(operation, 'devices.read');
  const filter = readFilter(args.where ?? {});
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
      kind: 'command',
      filter: { deviceKeys: filter.deviceKeys ? new Set(filter.deviceKeys) : undefined },
      from: start,
      fromAt: start.at,
      signal: untilCredentialEnds(operation, signal),
    });
    for await (const delivery of deliveries) {
      if (delivery.type === 'gap') {
        yield toGap(operation, delivery, null);
        yield* (await readSnapshot(operation, filter)).pieces;
      } else if ('commandId' in delivery.event && isWanted(filter, delivery.event)) {
        yield {
          type: 'CommandChange',
          cursor: delivery.entry.cursor(delivery.part, delivery.index),
          event: delivery.event,
        };
      }
    }
    if (!signal.aborted) throw new AuthenticationError('expired', 'the credential has expired');
  }, operation.signal);
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

interface SnapshotStart extends Position {
  readonly at: number;
  readonly pieces: readonly CommandSnapshot[];
}

/** The commands, read after the place on the stream: whatever changes behind the place comes as an event. */
async function readSnapshot(operation: Operation, filter: CommandFilter): Promise<SnapshotStart> {
  const { viewer, platform } = operation;
  const at = Date.now();
  const stream = await platform.live.streamState();
  const position: Position = { created: stream.created, sequence: stream.last, index: WHOLE };
  const commands = await platform.readSnapshot(operation, (scope) =>
    scope.rows<CommandRow>(openCommands(filter)),
  );
  const pieces: CommandSnapshot[] = [];
  for (let begin = 0; begin === 0 || begin < commands.length; begin += SNAPSHOT_COMMANDS) {
    const isLast = begin + SNAPSHOT_COMMANDS >= commands.length;
    pieces.push({
      type: 'CommandSnapshot',
      cursor: platform.live.sealCursor(viewer, position, at, !isLast),
      commands: commands.slice(begin, begin + SNAPSHOT_COMMANDS),
    });
  }
  return { ...position, at, pieces };
}
