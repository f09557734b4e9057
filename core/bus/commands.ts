import { type CommandToTell, commandPayload } from '../fleet/command-messages.ts';
import type { CommandEvent, CommandStatus } from '../fleet/commands.ts';
import { type DownlinkEnvelope, encodeAddressed } from './downlink.ts';
import { type CommandChangedEvent, encodeEvents } from './events.ts';
import { downlinkSubject, eventsSubject } from './subjects.ts';

/** A command that has reached another state; see `CommandChangedEvent`. */
export interface ChangedCommand {
  readonly id: string;
  readonly tenantId: number;
  readonly tenant: string;
  readonly deviceId: number;
  readonly device: string;
  readonly siteId: number | null;
  readonly commandId: string;
  readonly type: string;
  readonly status: CommandStatus;
  readonly event: CommandEvent;
  readonly at: number;
  readonly actor: string;
  readonly jobId: number | null;
  readonly createdAt: Date;
  readonly expiresAt: Date;
  readonly sentAt: Date | null;
  readonly acknowledgedAt: Date | null;
  readonly finishedAt: Date | null;
}

/** What is to be published: a subject and its bytes, for the tenant's shard. */
export interface CommandMessage {
  readonly tenantId: number;
  readonly shard: number;
  readonly subject: string;
  readonly payload: Buffer;
}

/** An event takes some 400 bytes: far below what the bus takes as one message. */
const EVENTS_PER_MESSAGE = 500;

/** The events of commands that have changed, those of a tenant together and in order. */
export function commandEvents(
  changes: readonly ChangedCommand[],
  shardOf: (tenant: string) => number,
): CommandMessage[] {
  const messages: CommandMessage[] = [];
  for (const [tenantId, some] of Map.groupBy(changes, (change) => change.tenantId)) {
    const tenant = some[0]?.tenant ?? '';
    const shard = shardOf(tenant);
    for (let at = 0; at < some.length; at += EVENTS_PER_MESSAGE) {
      const events = some.slice(at, at + EVENTS_PER_MESSAGE).map(toEvent);
      const payload = encodeEvents({ v: 1, tenant, tenantId, kind: 'command', events });
      messages.push({ tenantId, shard, subject: eventsSubject(shard, 'command'), payload });
    }
  }
  return messages;
}

const toEvent = (change: ChangedCommand): CommandChangedEvent => {
  const { deviceId, device, siteId, at, id, commandId, type, status, event, actor, jobId } = change;
  return {
    ...{ deviceId, device, siteId, at, id, commandId, type, status, event, actor, jobId },
    createdAt: change.createdAt.getTime(),
    expiresAt: change.expiresAt.getTime(),
    sentAt: change.sentAt?.getTime() ?? null,
    acknowledgedAt: change.acknowledgedAt?.getTime() ?? null,
    finishedAt: change.finishedAt?.getTime() ?? null,
  };
};

/** A command for its device, on DOWNLINK. */
function commandDownlink(
  { tenantId, tenant, device }: Pick<ChangedCommand, 'tenantId' | 'tenant' | 'device'>,
  command: CommandToTell,
  shardOf: (tenant: string) => number,
): CommandMessage {
  const shard = shardOf(tenant);
  const envelope = commandEnvelope(tenant, device, command);
  return { tenantId, shard, subject: downlinkSubject(shard), payload: encodeAddressed(envelope) };
}

/** What devices, and whoever follows, are told of commands that were sent. */
export function commandMessages(
  sent: readonly ChangedCommand[],
  what: Omit<CommandToTell, 'commandId'>,
  shardOf: (tenant: string) => number,
): CommandMessage[] {
  return [
    ...sent.map((command) => commandDownlink(command, { ...what, commandId: command.commandId }, shardOf)),
    ...commandEvents(sent, shardOf),
  ];
}

/** The message to the device: it knows the command by its id, and so do those who hand it on. */
export function commandEnvelope(tenant: string, device: string, command: CommandToTell): DownlinkEnvelope {
  return {
    ...{ tenant, device, leaf: 'commands', qos: 1, retain: false },
    ...{ id: command.commandId, expiresAt: command.expiresAt, contentType: 'application/json' },
    payload: commandPayload(command),
  };
}
