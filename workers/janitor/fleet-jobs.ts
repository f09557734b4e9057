import { commandMessages } from '#core/bus/commands.ts';
import { deviceUpdateMessages } from '#core/bus/device-changes.ts';
import { bulkHandlers } from '#core/db/bulk.ts';
import { commandHandler } from '#core/db/command-jobs.ts';
import { type JobHandlers, stepJob } from '#core/db/jobs.ts';
import type { Pool } from '#core/db/pool.ts';
import { templateMigrationHandler } from '#core/db/template-migrations.ts';
import { createSchemaChecks } from '#core/fleet/command-checks.ts';
import { type Clock, every } from '#core/runtime/every.ts';
import type { Logger } from '#core/runtime/logger.ts';
import type { JanitorMetrics } from './metrics.ts';

export interface FleetJobsDeps {
  readonly pool: Pool;
  readonly shards: number;
  /** How often a job is looked for, in milliseconds. */
  readonly pollMs: number;
  readonly log: Logger;
  readonly metrics: JanitorMetrics;
}

/** Compiled schemas of templates that are kept. */
const MAX_SCHEMAS = 100;

/** What jobs can be about, by the mutation that asks for them. */
const HANDLERS: JobHandlers = {
  ...bulkHandlers(deviceUpdateMessages),
  commandSendMany: commandHandler(
    ({ shard }, sent, what) => commandMessages(sent, what, () => shard),
    createSchemaChecks(MAX_SCHEMAS),
  ),
  templateMigrate: templateMigrationHandler(deviceUpdateMessages),
};

/** Works on jobs over many devices. Every replica does; they share each job. */
export function startFleetJobs({ pool, shards, pollMs, log, metrics }: FleetJobsDeps): Clock {
  return every(pollMs, 'jobs', log, async (signal) => {
    while (!signal.aborted) {
      const step = await stepJob({ pool, shards, log, handlers: HANDLERS });
      if (!step || step.devices === 0) return;
      metrics.jobDevices.inc({ kind: step.kind, outcome: 'done' }, step.devices - step.failed);
      metrics.jobDevices.inc({ kind: step.kind, outcome: 'failed' }, step.failed);
    }
  });
}
