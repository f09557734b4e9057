import type { Consumption } from '#core/bus/consume.ts';
import { releaseLeases, takeLeases } from '#core/db/leases.ts';
import type { Pool } from '#core/db/pool.ts';
import { type Clock, every } from '#core/runtime/every.ts';
import type { Logger } from '#core/runtime/logger.ts';
import type { Service } from '#core/runtime/run-service.ts';
import type { Hearing } from './hearing.ts';
import type { PresenceFollower } from './presence.ts';

export interface EvaluatorDeps {
  readonly pool: Pool;
  readonly presence: PresenceFollower;
  readonly follow: () => Consumption;
  readonly hearing: Hearing;
  /** Names this process among its replicas: the follower is shared, the clock has one leader. */
  readonly holder: string;
  readonly sweepMs: number;
  readonly log: Logger;
}

const SWEEP_LEASE = 'presence-sweep';
const SWEEP_LEASE_MS = 10_000;
const COMPARE_EVERY_MS = 30_000;

export function createEvaluator(deps: EvaluatorDeps): Service {
  let consumption: Consumption | undefined;
  let sweeping: Clock | undefined;
  let comparedAt = 0;
  return {
    async start() {
      consumption = deps.follow();
      sweeping = every(deps.sweepMs, 'presence sweep', deps.log, async () => {
        const held = await takeLeases(deps.pool, deps.holder, [SWEEP_LEASE], SWEEP_LEASE_MS);
        if (held.length === 0) return;
        await deps.presence.sweepGateways(Date.now());
        await deps.presence.sweepCredentials(Date.now());
        const asOf = await deps.hearing.heardUntil();
        if (asOf !== undefined) {
          await deps.presence.sweepFreshness(asOf);
          await deps.presence.sweepMetrics(asOf);
        }
        if (Date.now() - comparedAt < COMPARE_EVERY_MS) return;
        await deps.presence.sweepUnheard(Date.now());
        await deps.presence.sweepStrangers();
        comparedAt = Date.now();
      });
    },
    async stop(deadlineMs) {
      await sweeping?.stop();
      const outcome = (await consumption?.stop(deadlineMs)) ?? { abandoned: 0 };
      await releaseLeases(deps.pool, deps.holder).catch(() => undefined);
      return outcome;
    },
    ready: () => consumption?.running() ?? false,
  };
}
