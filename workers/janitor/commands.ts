import { commandEvents } from '#core/bus/commands.ts';
import { countOpenCommands, expireCommands } from '#core/db/commands.ts';
import { takeLeases } from '#core/db/leases.ts';
import { writeOutbox } from '#core/db/outbox.ts';
import { type Pool, runOn, transaction } from '#core/db/pool.ts';
import { shardOf } from '#core/fleet/shards.ts';
import { type Clock, every } from '#core/runtime/every.ts';
import type { Logger } from '#core/runtime/logger.ts';
import type { JanitorMetrics } from './metrics.ts';

export interface CommandClockDeps {
  readonly pool: Pool;
  /** Names this process among its replicas. */
  readonly holder: string;
  readonly shards: number;
  /** How often, in milliseconds. */
  readonly everyMs: number;
  readonly log: Logger;
  readonly metrics: JanitorMetrics;
}

const LEASE = 'janitor/commands';
const BATCH = 1_000;
const LEASE_MS = 30_000;
const OPEN = ['QUEUED', 'SENT', 'ACKNOWLEDGED'] as const;

/** Ends commands whose time is over, each in one transaction with the event about it. One replica at a time does it. */
export function startCommandExpiry(deps: CommandClockDeps): Clock {
  const { pool, holder, shards, metrics } = deps;
  return every(deps.everyMs, 'commands', deps.log, async (signal) => {
    const leads = (await takeLeases(pool, holder, [LEASE], Math.max(LEASE_MS, deps.everyMs * 3))).length > 0;
    if (!leads) {
      metrics.openCommands.reset();
      return;
    }
    while (!signal.aborted) {
      const ended = await transaction(pool, async (connection) => {
        const changes = await expireCommands(runOn(connection), BATCH);
        await writeOutbox(
          connection,
          commandEvents(changes, (tenant) => shardOf(tenant, shards)),
        );
        return changes.length;
      });
      metrics.expiredCommands.inc(ended);
      if (ended < BATCH) break;
    }
    const counted = new Map((await countOpenCommands(runOn(pool))).map((each) => [each.status, each.count]));
    for (const status of OPEN) metrics.openCommands.set({ status }, counted.get(status) ?? 0);
  });
}
