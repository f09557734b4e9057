import { setTimeout as sleep } from 'node:timers/promises';
import type { KeptMqttSession, MqttSession, MqttSessionWanted } from '#core/db/mqtt-sessions.ts';
import { createBatch } from '#core/runtime/batch.ts';
import { keptStateOf } from './kept-state.ts';
import type { Held } from './sessions.ts';

export interface SessionKeeperOptions {
  open(wanted: readonly MqttSessionWanted[]): Promise<readonly (KeptMqttSession | undefined)[]>;
  save(sessions: readonly MqttSession[]): Promise<void>;
}

/** Writes the sessions that outlive their connections down, so that any gateway can carry them on. */
export interface SessionKeeper {
  /** What an earlier connection left. Rejects when the database does not answer. */
  open(wanted: MqttSessionWanted): Promise<KeptMqttSession | undefined>;
  /**
   * Writes a session down as it is now. Resolves when that is done, or after two seconds; then it is done when the database
   * answers again.
   */
  save(held: Held): Promise<void>;
  /** The same for one whose connection has ended. */
  end(held: Held): void;
  /** Writes down what changed and what could not be written. Rejects when the database does not answer. */
  settle(live: Iterable<Held>): Promise<void>;
}

const PATIENCE_MS = 2_000;
const MAX_UNWRITTEN = 100_000;
const BATCH = { maxItems: 500, waitMs: 1, maxWaiting: 20_000, timeoutMs: 3_000 };

export function createSessionKeeper(options: SessionKeeperOptions): SessionKeeper {
  const unwritten = new Map<number, MqttSession>();
  const changesWritten = new WeakMap<Held, number>();
  const open = createBatch<MqttSessionWanted, KeptMqttSession | undefined>({
    ...{ name: 'the database, asked for a kept session,', ...BATCH, keyOf: ({ deviceId }) => deviceId },
    run: options.open,
  });
  const write = createBatch<MqttSession, void>({
    ...{ name: 'the database, told of a session,', ...BATCH, keyOf: ({ deviceId }) => deviceId },
    run: async (sessions) => {
      await options.save(sessions);
      return sessions.map(() => undefined);
    },
  });

  const put = async (session: MqttSession): Promise<void> => {
    if (unwritten.size < MAX_UNWRITTEN) unwritten.set(session.deviceId, session);
    await write(session);
    if (unwritten.get(session.deviceId) === session) unwritten.delete(session.deviceId);
  };

  const putSoon = (held: Held, connected: boolean): Promise<void> => {
    changesWritten.set(held, changesOf(held));
    return put(sessionOf(held, connected)).then(
      () => {
        held.state.written = true;
      },
      () => undefined,
    );
  };

  return {
    open,
    save: (held) =>
      Promise.race([putSoon(held, true), sleep(PATIENCE_MS, undefined, { ref: false })]).then(
        () => undefined,
      ),
    end: (held) => void putSoon(held, false),
    async settle(live) {
      for (const held of live) {
        if (held.state.keepSeconds > 0 && changesWritten.get(held) !== changesOf(held))
          void putSoon(held, true);
      }
      await Promise.all([...unwritten.values()].slice(0, BATCH.maxItems).map(put));
    },
  };
}

const changesOf = ({ state }: Held): number => state.downlink.changes + state.inbox.changes;

function sessionOf({ admission, state }: Held, connected: boolean): MqttSession {
  const { tenantId, deviceId, epoch } = admission;
  const { clientId, keepSeconds } = state;
  return { ...{ tenantId, deviceId, clientId, epoch, keepSeconds, connected }, state: keptStateOf(state) };
}
