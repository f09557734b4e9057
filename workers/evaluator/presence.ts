import { type BusMessage, done, type Fate, reject } from '#core/bus/consume.ts';
import { EventError } from '#core/bus/events.ts';
import { openEvents } from '#core/bus/telemetry-batch.ts';
import { type Pool, transaction } from '#core/db/pool.ts';
import { beginPresence, findUnheardSessions, lockPresence, takeLostSessions } from '#core/db/presence.ts';
import type { EvaluatorMetrics } from './metrics.ts';
import {
  type Desk,
  type Settled,
  SWEEP_LIMIT,
  settle,
  settleCredentials,
  settleFading,
  settleSessions,
} from './settle.ts';
import { settleMetrics } from './settle-metrics.ts';
import { collectSignals, type DeviceSignals, onlyExpectedTraffic } from './signals.ts';

export interface PresenceDeps {
  readonly pool: Pool;
  readonly shards: number;
  readonly metrics: EvaluatorMetrics;
}

export interface PresenceFollower {
  /** Takes a batch of EVENTS messages into presence, all in one transaction with the events it causes. */
  handle(messages: readonly BusMessage[]): Promise<Fate[]>;
  /** Moves devices that have fallen silent by `now`; returns how many changed. */
  sweepFreshness(now: number): Promise<number>;
  /** Finds out which required metrics are missing, or have come again; returns how many devices changed. */
  sweepMetrics(now: number): Promise<number>;
  /** Moves devices whose credentials were added, revoked, or are about to end; returns how many changed. */
  sweepCredentials(now: number): Promise<number>;
  /** Begins the presence of devices that have a credential and were never heard of; returns how many. */
  sweepStrangers(): Promise<number>;
  /** Sessions of gateways that are gone become UNKNOWN; returns how many. */
  sweepGateways(now: number): Promise<number>;
  /** Takes in sessions whose event was lost with the window of the stream; returns how many. */
  sweepUnheard(now: number): Promise<number>;
}

/** The event of a session this old has had its time to arrive. */
const UNHEARD_AGE_MS = 30_000;
/** Traffic of a device that is fresh anyway is written down at most this often. */
const SEEN_EVERY_MS = 10_000;
const MAX_REMEMBERED = 500_000;

export function createPresenceFollower(deps: PresenceDeps): PresenceFollower {
  /** When traffic of a device will next be worth a write, so that a busy device does not cost one each second. */
  const seenAgainAt = new Map<number, number>();

  /** In a transaction of its own. */
  const atDesk = (work: (desk: Desk) => Promise<Settled>): Promise<Settled> =>
    transaction(deps.pool, (connection) => work({ connection, shards: deps.shards }));

  /** Only what is committed may be remembered: a message that comes again must count again. */
  const remember = ({ after, changed, now }: Settled): number => {
    for (const device of after) {
      if (seenAgainAt.size >= MAX_REMEMBERED) seenAgainAt.clear();
      const pause = Math.min(SEEN_EVERY_MS, device.intervalSeconds * 500);
      if (device.state.freshness === 'FRESH' || device.state.missingMetrics.length > 0)
        seenAgainAt.set(device.deviceId, (device.state.lastSeenAt ?? now) + pause);
      else seenAgainAt.delete(device.deviceId);
    }
    for (const {
      state: { connection, freshness, credential },
    } of changed)
      deps.metrics.changes.inc({ connection, freshness, credential });
    return changed.length;
  };

  /** Again while there is more than one transaction takes. */
  const repeat = async (step: () => Promise<Settled>): Promise<number> => {
    let changed = 0;
    for (;;) {
      const settled = await step();
      changed += remember(settled);
      if (settled.after.length < SWEEP_LIMIT) return changed;
    }
  };

  return {
    async handle(messages) {
      const heard = new Map<number, DeviceSignals>();
      const fates = messages.map((message): Fate => {
        try {
          collectSignals(openEvents(message.bytes), heard);
          return done;
        } catch (error) {
          if (error instanceof EventError) return reject(error.message);
          throw error;
        }
      });
      const worthIt = [...heard.values()].filter(
        (device) => !onlyExpectedTraffic(device, seenAgainAt.get(device.deviceId)),
      );
      if (worthIt.length === 0) return fates;
      const settled = await atDesk(async (desk) => {
        const devices = await lockPresence(desk.connection, worthIt);
        return settle(desk, devices, (device) => heard.get(device.deviceId)?.signals ?? [], Date.now());
      });
      remember(settled);
      return fates;
    },

    async sweepFreshness(now) {
      const changed = await repeat(() => atDesk((desk) => settleFading(desk, now)));
      deps.metrics.silenceJudged.set(now / 1_000);
      return changed;
    },

    sweepMetrics: (now) => repeat(() => atDesk((desk) => settleMetrics(desk, now))),

    sweepCredentials: (now) => repeat(() => atDesk((desk) => settleCredentials(desk, now))),

    sweepStrangers: () => beginPresence(deps.pool, SWEEP_LIMIT),

    sweepGateways: async (now) =>
      remember(
        await atDesk(async (desk) => {
          const lost = await takeLostSessions(desk.connection);
          return settleSessions(desk, lost, ({ epoch }) => ({ kind: 'lost', at: now, epoch }), now);
        }),
      ),

    sweepUnheard: async (now) =>
      remember(
        await atDesk(async (desk) => {
          const unheard = await findUnheardSessions(desk.connection, UNHEARD_AGE_MS, SWEEP_LIMIT);
          return settleSessions(
            desk,
            unheard,
            ({ epoch, connectedAt: at }) => ({ kind: 'connected', at, epoch }),
            now,
          );
        }),
      ),
  };
}
