import { setTimeout as sleep } from 'node:timers/promises';
import { commandEnvelope } from '#core/bus/commands.ts';
import { desiredEnvelope } from '#core/bus/shadow.ts';
import type { PendingCommand } from '#core/db/commands.ts';
import type { DesiredState } from '#core/fleet/shadow.ts';
import type { DownlinkLeaf } from '#core/mqtt/topics.ts';
import { createBatch } from '#core/runtime/batch.ts';
import type { Logger } from '#core/runtime/logger.ts';
import type { Admission } from './admission.ts';
import type { DownlinkMessage, DownlinkSession } from './downlink-session.ts';

/** Whose messages are wanted. */
export type TableOwner = Pick<Admission, 'tenant' | 'tenantId' | 'device' | 'deviceId'>;

export interface TablesOptions {
  findCommands(devices: readonly TableOwner[]): Promise<readonly PendingCommand[]>;
  /** By device; nothing for those of whom nobody wants anything. */
  findDesired(devices: readonly TableOwner[]): Promise<ReadonlyMap<number, DesiredState>>;
  readonly log: Logger;
  /** Resolves when what is published to the tenant's devices from now on will arrive. */
  follow(tenant: string): Promise<void>;
}

/**
 * Reads from the tables what a device is to be told, whenever it subscribes or comes back to its subscriptions, and hands it to
 * its session. DOWNLINK is followed first, so that what is written in between comes one way or the other. Tries again while the
 * database is away and the device is here; nothing happens for a device that hears nothing which the tables know.
 */
export type ReadTables = (owner: TableOwner, session: DownlinkSession) => void;

/** What the tables know. */
const TABLED: readonly DownlinkLeaf[] = ['shadow/desired', 'commands'];
const RETRY_MS = 1_000;
const BATCH = { maxItems: 500, waitMs: 2, maxWaiting: 20_000, timeoutMs: 5_000 };

export function createReadTables({ findCommands, findDesired, log, follow }: TablesOptions): ReadTables {
  /** The sessions whose tables are being read; true: to be read once more. */
  const running = new WeakMap<DownlinkSession, boolean>();
  const read = createBatch<TableOwner, readonly DownlinkMessage[]>({
    ...{ name: 'the database, asked what devices are to be told,', ...BATCH },
    keyOf: ({ deviceId }) => deviceId,
    run: async (owners) => {
      const [pending, desired] = await Promise.all([findCommands(owners), findDesired(owners)]);
      const commands = Map.groupBy(pending, ({ deviceId }) => deviceId);
      return owners.map((owner) => [
        ...stateOf(owner, desired.get(owner.deviceId)),
        ...(commands.get(owner.deviceId) ?? []).map((command) => toMessage(owner, command)),
      ]);
    },
  });

  const run = async (owner: TableOwner, session: DownlinkSession) => {
    await follow(owner.tenant);
    while (session.isReadingTables) {
      running.set(session, false);
      try {
        const messages = await read(owner);
        if (running.get(session) === false) session.takeTables(messages);
      } catch (error) {
        const { tenant, device } = owner;
        log.warn({ err: error, tenant, device }, 'cannot read what a device is to be told; trying again');
        await sleep(RETRY_MS, undefined, { ref: false });
      }
    }
  };

  const start = (owner: TableOwner, session: DownlinkSession) => {
    running.set(session, false);
    void run(owner, session).finally(() => {
      running.delete(session);
      if (session.isReadingTables) start(owner, session);
    });
  };

  return (owner, session) => {
    if (!TABLED.some((leaf) => session.filters.grantFor(leaf)) || !session.beginTables()) return;
    if (running.has(session)) {
      running.set(session, true);
      return;
    }
    start(owner, session);
  };
}

function toMessage({ tenant, device }: TableOwner, command: PendingCommand): DownlinkMessage {
  const told = { ...command, expiresAt: command.expiresAt.getTime() };
  return { ...commandEnvelope(tenant, device, told), leaf: 'commands', place: undefined };
}

function stateOf({ tenant, device }: TableOwner, desired: DesiredState | undefined): DownlinkMessage[] {
  if (!desired) return [];
  return [{ ...desiredEnvelope(tenant, device, desired), leaf: 'shadow/desired', place: undefined }];
}
