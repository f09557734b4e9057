import { deleteExpiredCommands } from '#core/db/commands.ts';
import { foldFrames } from '#core/db/conservation.ts';
import { releaseLeases, takeLeases } from '#core/db/leases.ts';
import { deleteExpiredMqttSessions } from '#core/db/mqtt-sessions.ts';
import { runOn } from '#core/db/pool.ts';
import { ensurePartitions } from '#core/db/readings.ts';
import {
  deleteEndedSignIns,
  deleteExpiredDeadLetters,
  deleteExpiredIngestKeys,
  deleteExpiredMutationResults,
  deleteExpiredPresenceChanges,
  deleteExpiredQuarantine,
  deleteExpiredReadings,
  deleteExpiredSequenceGaps,
  deleteGoneGateways,
  deleteOldClaimCodes,
  deleteOldFleetJobs,
  deleteOldQuarantineJobs,
  deleteOldRepeats,
  dropPartitions,
  longestRetentionDays,
} from '#core/db/retention.ts';
import { deleteExpiredShadowHistory } from '#core/db/shadows.ts';
import { deleteExpiredUsage } from '#core/db/usage.ts';
import { type Clock, every } from '#core/runtime/every.ts';
import type { Service } from '#core/runtime/run-service.ts';
import { tendCertificates } from './certificates.ts';
import { startCommandExpiry } from './commands.ts';
import { startFleetJobs } from './fleet-jobs.ts';
import { startQuarantineJobs } from './quarantine-jobs.ts';
import { startSums } from './sums.ts';
import { purgeTenants, type TenantPurgeDeps } from './tenants.ts';

export interface JanitorDeps extends TenantPurgeDeps {
  readonly intervalMs: number;
  /** Days for which partitions are kept ready. */
  readonly daysAhead: number;
  /** Days for which the proof of what became of a frame is kept. */
  readonly frameDays: number;
  /** Days for which dead letters wait for somebody to look at them. */
  readonly deadLetterDays: number;
  /** How often the sums are added up, and how often jobs are looked for, in milliseconds. */
  readonly foldIntervalMs: number;
  readonly jobsPollMs: number;
  /** How often commands are looked for whose time is over, in milliseconds. */
  readonly commandExpiryMs: number;
  readonly shards: number;
}

const LEASE = 'janitor';
const CERTIFICATES_LEASE = 'janitor/certificates';
const DELETE_BATCH = 10_000;
const DAY_MS = 86_400_000;
/** Days for which jobs over many devices can be looked at after their end. */
const JOB_DAYS = 90;

/** The clock of the platform: makes partitions before they are needed and lets go of what has expired. */
export function createJanitor(deps: JanitorDeps): Service {
  let clocks: readonly Clock[] = [];
  let finishedAt = 0;

  const tidy = async (signal: AbortSignal) => {
    const held = await takeLeases(deps.pool, deps.holder, [LEASE], deps.intervalMs * 3);
    if (held.length > 0) await tidyAll(deps, signal);
    finishedAt = Date.now();
  };

  /** A clock of its own: what goes wrong with one does not keep the other from its work. */
  const tend = async (signal: AbortSignal) => {
    const held = await takeLeases(deps.pool, deps.holder, [CERTIFICATES_LEASE], deps.intervalMs * 3);
    if (held.length > 0) await tendCertificates(deps, signal);
    else deps.metrics.ending.reset();
  };

  return {
    async start() {
      const { foldIntervalMs, jobsPollMs: pollMs, ...rest } = deps;
      clocks = [
        every(deps.intervalMs, 'janitor', deps.log, tidy),
        every(deps.intervalMs, 'certificates', deps.log, tend),
        startSums({ ...rest, intervalMs: foldIntervalMs }),
        startQuarantineJobs({ ...rest, pollMs }),
        startFleetJobs({ ...rest, pollMs }),
        startCommandExpiry({ ...rest, everyMs: rest.commandExpiryMs }),
        // A tenant may take hours: what has to be done every minute does not wait for it.
        every(deps.intervalMs, 'tenants to delete', deps.log, (signal) => purgeTenants(deps, signal)),
      ];
    },
    async stop() {
      await Promise.all(clocks.map((clock) => clock.stop()));
      await releaseLeases(deps.pool, deps.holder).catch(() => undefined);
      return { abandoned: 0 };
    },
    ready: () => finishedAt > Date.now() - deps.intervalMs * 5,
  };
}

async function tidyAll(deps: JanitorDeps, signal: AbortSignal): Promise<void> {
  const { pool, log, metrics } = deps;
  const today = Date.now();
  const coming = Array.from({ length: deps.daysAhead + 1 }, (_, days) => dayText(today + days * DAY_MS));
  await ensurePartitions(pool, 'readings', coming);
  await ensurePartitions(pool, 'ingest_frames', coming);

  // What is dropped must be in the sums first.
  await foldFrames(pool);
  const dropped = await dropPartitions(pool, 'ingest_frames', dayText(today - deps.frameDays * DAY_MS));
  const retentionDays = await longestRetentionDays(pool);
  if (retentionDays !== undefined) {
    dropped.push(...(await dropPartitions(pool, 'readings', dayText(today - (retentionDays + 1) * DAY_MS))));
  }
  if (dropped.length > 0) log.info({ partitions: dropped }, 'partitions dropped');
  metrics.dropped.inc(dropped.length);

  await untilFew(signal, async () => {
    const deleted = await deleteExpiredReadings(pool, DELETE_BATCH);
    metrics.deleted.inc(deleted);
    return deleted;
  });
  await untilFew(signal, () => deleteExpiredCommands(runOn(pool), DELETE_BATCH));
  await deleteExpiredQuarantine(pool);
  await deleteExpiredPresenceChanges(pool);
  await deleteExpiredSequenceGaps(pool);
  await untilFew(signal, () => deleteExpiredShadowHistory(pool, DELETE_BATCH));
  await deleteExpiredDeadLetters(pool, deps.deadLetterDays);
  await deleteOldQuarantineJobs(pool, deps.deadLetterDays);
  await deleteOldFleetJobs(pool, JOB_DAYS);
  await deleteOldRepeats(pool, deps.frameDays);
  await deleteGoneGateways(pool);
  await deleteExpiredMqttSessions(pool);
  await deleteExpiredMutationResults(pool);
  await deleteExpiredIngestKeys(pool);
  await deleteOldClaimCodes(pool);
  await deleteExpiredUsage(pool);
  await deleteEndedSignIns(pool);
}

/** Deletes batch after batch until one is not full. */
async function untilFew(signal: AbortSignal, deleteBatch: () => Promise<number>): Promise<void> {
  while (!signal.aborted && (await deleteBatch()) === DELETE_BATCH);
}

const dayText = (ms: number): string => new Date(ms).toISOString().slice(0, 10);
