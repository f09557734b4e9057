import { z } from 'zod';
import { type SqlReader, sql } from '#api/database/sql.ts';
import type { Operation } from '#api/graphql/context.ts';
import { ConflictFault, ForbiddenFault, NotFoundFault, type UserError } from '#api/graphql/errors.ts';
import { readRowId } from '#api/graphql/global-ids.ts';
import { parseInput, text } from '#api/graphql/input.ts';
import { type JsonObject, runMutation } from '#api/graphql/mutations.ts';
import { PERMISSIONS } from '#core/auth/permissions.ts';
import { deviceUpdateMessages } from '#core/bus/device-changes.ts';
import { type BulkKind, bulkHandler, forecastBulk } from '#core/db/bulk.ts';
import { type ManyChanged, type ManyInput, runOnMany } from './service.ts';
import { JOB_COLUMNS, type JobRow } from './store.ts';

const tagsSchema = z.object({
  tags: z
    .array(text(64))
    .min(1, 'must not be empty')
    .max(32, 'at most 32 tags')
    .transform((tags) => [...new Set(tags)]),
});
const siteSchema = z.object({ siteKey: text(128).nullish() });
const statusSchema = z.object({
  status: z.enum(['ACTIVE', 'DISABLED'], 'only deviceDecommission decommissions'),
});
const groupSchema = z.object({ groupKey: text(128) });

/** Gives devices tags, beside those they have. */
export const tagDevices = (operation: Operation, input: ManyInput) =>
  changeMany(operation, 'devicesTag', input, async () => parseInput(tagsSchema, input));

/** Takes tags from devices. */
export const untagDevices = (operation: Operation, input: ManyInput) =>
  changeMany(operation, 'devicesUntag', input, async () => parseInput(tagsSchema, input));

/** Says where devices are; nowhere without a site. */
export const setSiteOfDevices = (operation: Operation, input: ManyInput) =>
  changeMany(operation, 'devicesSetSite', input, async (reader, tenantId) => {
    const { siteKey } = parseInput(siteSchema, input);
    if (siteKey == null) return { siteId: null };
    const [site] = await reader.rows<{ id: number }>(
      sql`select id from sites where tenant_id = ${tenantId} and key = ${siteKey}`,
    );
    if (!site) throw new NotFoundFault(`there is no site with the key ${siteKey}`, ['input', 'siteKey']);
    return { siteId: site.id };
  });

/** Lets devices in, or keeps them out. */
export const setStatusOfDevices = (operation: Operation, input: ManyInput) =>
  changeMany(operation, 'devicesSetStatus', input, async () => parseInput(statusSchema, input));

/** Puts devices into a static group. */
export const addDevicesToGroup = (operation: Operation, input: ManyInput) =>
  changeMany(operation, 'devicesAddToGroup', input, async (reader, tenantId) => {
    const { groupKey } = parseInput(groupSchema, input);
    const [group] = await reader.rows<{ id: number; kind: string; version: number }>(
      sql`select id, kind::text as kind, version from device_groups where tenant_id = ${tenantId} and key = ${groupKey}`,
    );
    if (!group) throw new NotFoundFault(`there is no group with the key ${groupKey}`, ['input', 'groupKey']);
    if (group.kind === 'DYNAMIC') {
      const message = 'a dynamic group holds what meets its filter; change that';
      throw new ConflictFault(message, ['input', 'groupKey'], group.version);
    }
    return { groupId: group.id };
  });

function changeMany(
  operation: Operation,
  name: BulkKind,
  input: ManyInput,
  prepare: (reader: SqlReader, tenantId: number) => Promise<JsonObject>,
): Promise<ManyChanged | UserError> {
  return runOnMany(operation, {
    ...{ name, input, prepare },
    permission: name === 'devicesAddToGroup' ? 'groups.write' : 'devices.write',
    handler: bulkHandler(name, deviceUpdateMessages),
    forecast: (reader, tenantId, prepared, condition) =>
      forecastBulk(reader, name, tenantId, prepared, condition),
  });
}

const cancelledSchema = z.object({ jobId: z.number() });
export type JobCancelled = z.output<typeof cancelledSchema>;

/** Stops a job: the batches that are being worked on are finished, none begins. Needs what asking for it needed. */
export function cancelJob(
  operation: Operation,
  input: { readonly id: string; readonly clientMutationId?: string | null | undefined },
): Promise<JobCancelled | UserError> {
  return runMutation(operation, {
    name: 'jobCancel',
    permission: 'devices.read',
    input,
    read: (remembered) => cancelledSchema.parse(remembered),
    async run(scope) {
      const id = readRowId(input.id, 'Job') ?? 0;
      const [job] = await scope.rows<JobRow>(
        sql`select ${JOB_COLUMNS} from fleet_jobs j where j.id = ${id} for update`,
      );
      if (!job) throw new NotFoundFault('there is no such job', ['input', 'id']);
      const needed = PERMISSIONS.find((permission) => permission === job.permission) ?? 'devices.write';
      if (!operation.viewer.permissions.has(needed)) throw new ForbiddenFault(needed);
      if (job.finishedAt) throw new ConflictFault('the job has ended already', ['input', 'id'], null);
      await scope.rows(
        sql`update fleet_jobs set status = 'CANCELLED', finished_at = now() where id = ${id} returning id`,
      );
      const { done, failed, total } = job;
      return {
        success: { jobId: job.id },
        audit: {
          target: { type: 'Job', id: job.id, label: job.kind },
          before: { status: job.status },
          after: { status: 'CANCELLED', done, failed, total },
        },
      };
    },
  });
}
