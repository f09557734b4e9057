import { z } from 'zod';
import type { Sql, SqlReader } from '#api/database/sql.ts';
import type { WriteScope } from '#api/database/writes.ts';
import type { Operation } from '#api/graphql/context.ts';
import { dryRun } from '#api/graphql/dry-run.ts';
import { ConflictFault, type UserError } from '#api/graphql/errors.ts';
import { type JsonObject, runMutation } from '#api/graphql/mutations.ts';
import type { Permission } from '#core/auth/permissions.ts';
import { type BulkForecast, MAX_FAULTS } from '#core/db/bulk.ts';
import { readDeviceIds } from '#core/db/groups.ts';
import { type JobFault, type JobHandler, type JobScope, MAX_OPEN_JOBS, startJob } from '#core/db/jobs.ts';
import type { DeviceTarget } from '#core/fleet/device-filter.ts';
import { readTarget, type TargetInput, targetCondition } from '../devices/service.ts';

/** Devices that a mutation changes itself; more of them are a job. */
const MAX_AT_ONCE = 100;

const faultSchema = z.object({ deviceId: z.number(), code: z.string(), message: z.string() });
const changedSchema = z.object({
  matched: z.number(),
  changed: z.number(),
  failed: z.number(),
  faults: z.array(faultSchema),
  jobId: z.number().nullable(),
});
/** What a mutation of many devices did, or left to a job. */
export type ManyChanged = z.output<typeof changedSchema>;

export interface ManyInput {
  readonly target: TargetInput;
  readonly dryRun?: boolean | null | undefined;
  readonly clientMutationId?: string | null | undefined;
}

interface OnMany {
  /** Name of the mutation, and of the kind of its job. */
  readonly name: string;
  readonly permission: Permission;
  readonly input: ManyInput;
  /** It is a job however few devices there are. False by default. */
  readonly alwaysByJob?: boolean;
  /** Checks the rest of the input and makes what the handler takes of it. @throws Fault */
  readonly prepare: (reader: SqlReader, tenantId: number) => Promise<JsonObject>;
  readonly handler: JobHandler;
  /** What `dryRun` answers. */
  readonly forecast: (
    reader: SqlReader,
    tenantId: number,
    prepared: JsonObject,
    condition: Sql,
  ) => Promise<BulkForecast>;
}

/** The transaction of a mutation as a handler of jobs wants it. */
export const jobScope = (scope: WriteScope, { viewer }: Operation): JobScope => ({
  ...scope,
  actor: viewer.credentialId,
  jobId: null,
});

/**
 * Does one thing to many devices: to 100 of them at once, to more of them (or always) by a job that the janitor works on with the same handler. With
 * `dryRun` it counts. Whatever cannot be done to one device is said, and keeps it from no other.
 */
export function runOnMany(operation: Operation, many: OnMany): Promise<ManyChanged | UserError> {
  const { name, permission, input, alwaysByJob = false, prepare, handler, forecast } = many;
  if (input.dryRun) {
    return dryRun(operation, permission, async () => {
      const { tenantId } = operation.viewer;
      const prepared = await prepare(operation.read, tenantId);
      const target = readTarget(input.target);
      const condition = await targetCondition(operation.read, tenantId, target);
      const missing = await missingOf(operation.read, target, condition);
      const found = await forecast(operation.read, tenantId, prepared, condition);
      return { ...found, ...withMissing(found.failed, found.faults, missing), jobId: null };
    });
  }
  return runMutation(operation, {
    name,
    permission,
    input,
    read: (remembered) => changedSchema.parse(remembered),
    async run(scope) {
      const prepared = await prepare(scope, scope.tenantId);
      const target = readTarget(input.target);
      const condition = await targetCondition(scope, scope.tenantId, target);
      const missing = await missingOf(scope, target, condition);
      const ids = await readDeviceIds(scope, condition, MAX_AT_ONCE + 1);
      const done =
        ids.length > (alwaysByJob ? 0 : MAX_AT_ONCE)
          ? await leaveToJob(operation, scope, many, prepared, condition)
          : await doAtOnce(jobScope(scope, operation), handler, prepared, ids);
      const success: ManyChanged = { ...done, ...withMissing(done.failed, done.faults, missing) };
      const { matched, changed, failed, jobId } = success;
      const label = `${matched} ${matched === 1 ? 'device' : 'devices'}`;
      return {
        success,
        audit: {
          target: jobId === null ? { type: 'Device', id: 'many', label } : { type: 'Job', id: jobId, label },
          before: null,
          after: { ...prepared, matched, ...(jobId === null && { changed, failed }) },
        },
      };
    },
  });
}

async function doAtOnce(
  scope: JobScope,
  handler: JobHandler,
  prepared: JsonObject,
  ids: readonly number[],
): Promise<ManyChanged> {
  const { changed, faults } =
    ids.length === 0 ? { changed: 0, faults: [] } : await handler(scope, prepared, ids);
  return { matched: ids.length, changed, failed: faults.length, faults: [...faults], jobId: null };
}

async function leaveToJob(
  { viewer, requestId }: Operation,
  scope: WriteScope,
  { name: kind, permission }: OnMany,
  input: JsonObject,
  condition: Sql,
): Promise<ManyChanged> {
  const actor = { id: viewer.credentialId, kind: viewer.kind, name: viewer.name };
  const job = await startJob(scope, { kind, input, permission, actor, requestId }, condition);
  if (!job) {
    const message = `a tenant has at most ${MAX_OPEN_JOBS} jobs at work; wait for one or cancel one`;
    throw new ConflictFault(message, ['input'], null);
  }
  return { matched: job.total, changed: 0, failed: 0, faults: [], jobId: job.id };
}

/** Devices that were named and are not there. */
async function missingOf(reader: SqlReader, target: DeviceTarget, condition: Sql): Promise<JobFault[]> {
  if (!('ids' in target)) return [];
  const found = new Set(await readDeviceIds(reader, condition, target.ids.length));
  return target.ids
    .filter((id) => !found.has(id))
    .map((deviceId) => ({ deviceId, code: 'NOT_FOUND', message: 'there is no such device' }));
}

const withMissing = (failed: number, faults: readonly JobFault[], missing: readonly JobFault[]) => ({
  failed: failed + missing.length,
  faults: [...missing, ...faults].slice(0, MAX_FAULTS),
});
