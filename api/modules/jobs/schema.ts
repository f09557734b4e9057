import { builder } from '#api/graphql/builder.ts';
import { pageCost, TOTAL_COUNT_COST } from '#api/graphql/cost.ts';
import type { InputBuilder } from '#api/graphql/define-mutation.ts';
import { encodeGlobalId, readRowKey } from '#api/graphql/global-ids.ts';
import { type JobFault, MAX_KEPT_FAULTS } from '#core/db/jobs.ts';
import { deviceRef, deviceTargetInput } from '../devices/schema.ts';
import { findDevice } from '../devices/service.ts';
import { faultsOf, findJob, findJobBy, listJobs, type ManyChanged, requireJob } from './service.ts';
import type { JobRow } from './store.ts';

export const jobRef = builder.objectRef<JobRow>('Job');

const jobStatusEnum = builder.enumType('JobStatus', {
  description: 'Where a job is.',
  values: {
    QUEUED: { description: 'Nothing is done yet.' },
    RUNNING: { description: 'Some of its devices are done.' },
    SUCCEEDED: {
      description: 'It went through all of its devices; `failed` says for how many it could not be done.',
    },
    FAILED: { description: 'It went through all of its devices and could be done for none.' },
    CANCELLED: { description: 'Somebody stopped it; what was done stays done.' },
  },
});

export const bulkErrorRef = builder.objectRef<JobFault>('BulkError').implement({
  description: 'Why something could not be done to one of many devices.',
  fields: (t) => ({
    deviceId: t.id({
      description: 'Which device, also where there is none of that id.',
      resolve: ({ deviceId }) => encodeGlobalId('Device', deviceId),
    }),
    device: t.field({
      type: deviceRef,
      nullable: true,
      description: 'The device; null where there is none.',
      resolve: async ({ deviceId }, _args, operation) => (await findDevice(operation, deviceId)) ?? null,
    }),
    code: t.exposeString('code', {
      description:
        'As of a `UserError`: NOT_FOUND, CONFLICT, VALIDATION, QUOTA; INTERNAL for a fault of ours.',
    }),
    message: t.exposeString('message', { description: 'The same for people.' }),
  }),
});

builder.node(jobRef, {
  description: 'One thing that is being done to many devices, a batch at a time.',
  id: { resolve: (job) => job.id },
  loadWithoutCache: (id, operation) => {
    const key = readRowKey(id);
    return key === undefined ? null : findJob(operation, key);
  },
  fields: (t) => ({
    kind: t.exposeString('kind', { description: 'Name of the mutation that asked for it.' }),
    input: t.expose('input', { type: 'JSON', description: 'What it does, as its kind has it.' }),
    status: t.expose('status', { type: jobStatusEnum, description: 'Where it is.' }),
    total: t.exposeInt('total', {
      description: 'Devices it is for: those of the target when it was asked for.',
    }),
    done: t.exposeInt('done', { description: 'Of those, how many are as they should be.' }),
    changed: t.exposeInt('changed', { description: 'Of those done, how many were not before.' }),
    failed: t.exposeInt('failed', { description: 'For how many it could not be done.' }),
    errors: t.field({
      type: [bulkErrorRef],
      description: `For which it could not be done, and why; ${MAX_KEPT_FAULTS} of them or so are kept.`,
      complexity: { field: 5, multiplier: 10 },
      resolve: (job, _args, operation) => faultsOf(operation, job),
    }),
    requestedBy: t.exposeString('actorName', { description: 'Who asked for it.' }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When.' }),
    startedAt: t.expose('startedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When its first devices were done; null before.',
    }),
    finishedAt: t.expose('finishedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When it ended; null while it has not.',
    }),
  }),
});

const jobFilterInput = builder.inputType('JobFilter', {
  description: 'Jobs that meet every condition given.',
  fields: (t) => ({
    statuses: t.field({ type: [jobStatusEnum], description: 'In one of these states.' }),
    kinds: t.stringList({ description: 'Asked for by one of these mutations.' }),
  }),
});

const jobConnectionRef = builder.connectionObject(
  {
    type: jobRef,
    name: 'JobConnection',
    description: 'A page of jobs.',
    fields: (t) => ({
      totalCount: t.int({
        description: 'How many jobs the whole list has, whatever the page.',
        complexity: TOTAL_COUNT_COST,
        resolve: (connection) => connection.count?.() ?? 0,
      }),
    }),
  },
  { name: 'JobEdge', description: 'A job in a page.' },
);

builder.queryFields((t) => ({
  job: t.field({
    type: jobRef,
    nullable: true,
    description: 'One job, or null when there is none by that id. Ask again to see how far it is.',
    args: { id: t.arg.id({ required: true, description: 'Its opaque id.' }) },
    resolve: (_root, { id }, operation) => findJobBy(operation, id),
  }),
  jobs: t.connection(
    {
      type: jobRef,
      description: 'Jobs of the tenant, newest first. Kept for 90 days after their end.',
      complexity: pageCost,
      args: { where: t.arg({ type: jobFilterInput, description: 'Which ones; all of them by default.' }) },
      resolve: (_root, { where, ...page }, operation) => listJobs(operation, page, where ?? {}),
    },
    jobConnectionRef,
  ),
}));

/** Input of every mutation of many devices. */
export const manyFields = (t: InputBuilder) => ({
  target: t.field({ type: deviceTargetInput, required: true, description: 'Which devices.' }),
  dryRun: t.boolean({ description: 'Only counts; changes nothing. False by default.' }),
});

const bulkSuccessRef = builder.interfaceRef<ManyChanged>('BulkSuccess').implement({
  description: 'What was done to many devices, would be, or is being done by a job.',
  fields: (t) => ({
    matched: t.exposeInt('matched', { description: 'Devices of the target that there are.' }),
    changed: t.exposeInt('changed', {
      description: 'Of those, how many were changed, or would be; 0 where it is left to a job.',
    }),
    failed: t.exposeInt('failed', {
      description: 'How many could not be changed, or could not be; what a job cannot do is on the job.',
    }),
    errors: t.field({
      type: [bulkErrorRef],
      description: 'Which could not be changed and why, at most 100.',
      resolve: ({ faults }) => faults,
    }),
    job: t.field({
      type: jobRef,
      nullable: true,
      description:
        'Works on the devices where they are more than 100; null where they are done, and of a dry run.',
      resolve: ({ jobId }, _args, operation) => (jobId === null ? null : requireJob(operation, jobId)),
    }),
  }),
});

/** Answer of every mutation of many devices. */
export const manyChanged = (description: string) => ({ description, interfaces: [bulkSuccessRef] });
