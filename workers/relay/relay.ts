import type { Bus } from '#core/bus/connect.ts';
import type { Publisher } from '#core/bus/publish.ts';
import { releaseLeases, takeLeases } from '#core/db/leases.ts';
import { deleteOutbox, type OutboxRow, readOutbox } from '#core/db/outbox.ts';
import type { Pool } from '#core/db/pool.ts';
import { type Clock, every } from '#core/runtime/every.ts';
import type { Logger } from '#core/runtime/logger.ts';
import type { Service } from '#core/runtime/run-service.ts';
import type { RelayMetrics } from './metrics.ts';

export interface RelayDeps {
  readonly bus: Bus;
  readonly pool: Pool;
  readonly publisher: Publisher;
  readonly shards: number;
  /** Names this process among its replicas. */
  readonly holder: string;
  /** How often an empty outbox is looked at, in milliseconds. */
  readonly pollMs: number;
  readonly log: Logger;
  readonly metrics: RelayMetrics;
}

const LEASE_MS = 10_000;
const BATCH = 500;

/**
 * Publishes what committed transactions left in the outbox, in order within a shard, each under the id of its row: when it
 * is published twice, the bus or the reader drops the second.
 */
export function createRelay(deps: RelayDeps): Service {
  let held: number[] = [];
  let renewing: Clock | undefined;
  let relaying: Clock | undefined;

  const renew = async () => {
    const names = Array.from({ length: deps.shards }, (_, shard) => `relay/${shard}`);
    held = (await takeLeases(deps.pool, deps.holder, names, LEASE_MS)).map((name) =>
      Number(name.slice('relay/'.length)),
    );
    deps.metrics.shards.set(held.length);
  };

  const relay = async (signal: AbortSignal) => {
    while (!signal.aborted && held.length > 0) {
      const rows = await readOutbox(deps.pool, held, BATCH);
      if (rows.length === 0) return;
      await Promise.all(
        [...Map.groupBy(rows, (row) => row.shard).values()].map((shard) => publishInOrder(deps, shard)),
      );
      await deps.bus.connection.flush();
      await deleteOutbox(
        deps.pool,
        rows.map((row) => row.id),
      );
      deps.metrics.relayed.inc(rows.length);
    }
  };

  return {
    async start() {
      renewing = every(LEASE_MS / 3, 'relay leases', deps.log, renew);
      relaying = every(deps.pollMs, 'relay', deps.log, relay);
    },
    async stop() {
      await Promise.all([relaying?.stop(), renewing?.stop()]);
      await releaseLeases(deps.pool, deps.holder).catch(() => undefined);
      return { abandoned: 0 };
    },
    ready: () => relaying !== undefined && deps.bus.connected(),
  };
}

async function publishInOrder(deps: RelayDeps, rows: readonly OutboxRow[]): Promise<void> {
  for (const row of rows) {
    if (row.subject.startsWith('control.')) deps.bus.connection.publish(row.subject, row.payload);
    else await deps.publisher.publish(row.subject, row.payload, `outbox.${row.id}`);
  }
}
