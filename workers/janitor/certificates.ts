import { type ControlMessage, encodeEvents } from '#core/bus/events.ts';
import { controlSubject, eventsSubject } from '#core/bus/subjects.ts';
import {
  countEnding,
  type DueWarning,
  type EndingCertificate,
  retireDue,
  takeDueWarnings,
} from '#core/db/certificates.ts';
import { type OutboxMessage, writeOutbox } from '#core/db/outbox.ts';
import { type Pool, transaction } from '#core/db/pool.ts';
import { shardOf } from '#core/fleet/shards.ts';
import type { JanitorMetrics } from './metrics.ts';

export interface CertificateClockDeps {
  readonly pool: Pool;
  readonly shards: number;
  readonly metrics: JanitorMetrics;
}

/** Days before its end on which a certificate is warned of. */
export const WARNING_DAYS: readonly number[] = [30, 14, 7, 1];
const BATCH = 1_000;

/**
 * Warns of certificates that end soon and ends those whose overlap is over. Each warning is noted in the transaction of
 * its event: it comes once for each certificate and threshold, whoever dies in between.
 */
export async function tendCertificates(deps: CertificateClockDeps, signal: AbortSignal): Promise<void> {
  const { pool, shards, metrics } = deps;
  while (!signal.aborted) {
    const retired = await transaction(pool, async (connection) => {
      const due = await retireDue(connection, BATCH);
      await writeOutbox(
        connection,
        due.map((each) => accessMessage(each, shards)),
      );
      return due.length;
    });
    metrics.retired.inc(retired);
    if (retired < BATCH) break;
  }
  while (!signal.aborted) {
    const warnings = await transaction(pool, async (connection) => {
      const due = await takeDueWarnings(connection, WARNING_DAYS, BATCH);
      const told = [...warningMessages(due, shards), ...due.map((each) => accessMessage(each, shards))];
      await writeOutbox(connection, told);
      return due;
    });
    for (const { days } of warnings) metrics.warnings.inc({ days });
    if (warnings.length < BATCH) break;
  }
  for (const [index, count] of (await countEnding(pool, WARNING_DAYS)).entries())
    metrics.ending.set({ days: WARNING_DAYS[index] ?? 0 }, count);
}

/** Gateways and APIs are to ask again what the device's credentials are good for. */
function accessMessage(certificate: EndingCertificate, shards: number): OutboxMessage {
  const { tenant, tenantId, device: id, version } = certificate;
  const message: ControlMessage = { tenant, tenantId, id, version };
  const payload = Buffer.from(JSON.stringify(message));
  return { tenantId, shard: shardOf(tenant, shards), subject: controlSubject('credential'), payload };
}

/** One message a tenant. */
function warningMessages(due: readonly DueWarning[], shards: number): OutboxMessage[] {
  const at = Date.now();
  return [...Map.groupBy(due, ({ tenantId }) => tenantId).values()].flatMap((some) => {
    const [first] = some;
    if (!first) return [];
    const { tenant, tenantId } = first;
    const shard = shardOf(tenant, shards);
    const events = some.map(({ deviceId, device, siteId, serial, days, endsAt }) => ({
      ...{ deviceId, device, siteId, at, serial, days, endsAt: endsAt.getTime() },
      change: 'EXPIRING' as const,
    }));
    const payload = encodeEvents({ v: 1, tenant, tenantId, kind: 'credential', events });
    return [{ tenantId, shard, subject: eventsSubject(shard, 'credential'), payload }];
  });
}
