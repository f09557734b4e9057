import { builder } from '#api/graphql/builder.ts';
import type { Operation } from '#api/graphql/context.ts';
import { pageCost, TOTAL_COUNT_COST } from '#api/graphql/cost.ts';
import { loadActorName } from '../audit/service.ts';
import { deviceRef } from '../devices/schema.ts';
import { findDevice } from '../devices/service.ts';
import { jobRef } from '../jobs/schema.ts';
import { findJob } from '../jobs/service.ts';
import { commandHappeningEnum, commandStatusEnum } from './enums.ts';
import { completeCommand, countByStatus, findCommand, listCommands, listTransitions } from './service.ts';
import type { CommandCount, CommandNode, CommandRow, TransitionRow } from './store.ts';

export const commandRef = builder.objectRef<CommandNode>('Command');

const transitionRef = builder.objectRef<TransitionRow>('CommandTransition').implement({
  description: 'Something that happened to a command, each thing once.',
  fields: (t) => ({
    happening: t.expose('event', { type: commandHappeningEnum, description: 'What happened.' }),
    status: t.expose('status', {
      type: commandStatusEnum,
      description: 'The state of the command behind it.',
    }),
    moved: t.exposeBoolean('moved', {
      description:
        'Whether it changed the state. False for what came too late or out of order, such as an answer to a command that had expired.',
    }),
    at: t.expose('at', { type: 'DateTime', description: 'When it happened.' }),
    details: t.expose('details', {
      type: 'JSON',
      nullable: true,
      description: 'What the device said beside its answer; null when nothing.',
    }),
  }),
});

const complete = <Value>(read: (command: CommandRow) => Value) => {
  return async (node: CommandNode, _args: object, operation: Operation): Promise<Value> =>
    read(await completeCommand(operation, node));
};

builder.node(commandRef, {
  description:
    'Something that a device is told to do. It reaches the device at least once; by `uuid` the device knows a repeat.',
  id: { resolve: (command) => command.id },
  loadWithoutCache: (id, operation) => findCommand(operation, id),
  fields: (t) => ({
    uuid: t.exposeString('commandId', {
      description: 'What the device knows it by: `command_id` in its messages.',
    }),
    type: t.exposeString('type', { description: 'Which command, by its key in the template of the device.' }),
    params: t.field({
      type: 'JSON',
      description: 'What the device is told beside the type.',
      resolve: complete((command) => command.params),
    }),
    status: t.expose('status', { type: commandStatusEnum, description: 'Where it is on its way.' }),
    actor: t.exposeString('actor', {
      description: 'Who sent it: `user:` and a subject, `client:` and an id, or `key:` and a number.',
    }),
    actorName: t.string({
      description: 'What the audit log last called them; the same as `actor` where it does not name them.',
      resolve: ({ actor }, _args, operation) => loadActorName(operation, actor),
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was sent off.' }),
    expiresAt: t.expose('expiresAt', {
      type: 'DateTime',
      description:
        'From when on it is not given to the device any more. One that was accepted has another day.',
    }),
    sentAt: t.expose('sentAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When the device had it; null while that is not known.',
    }),
    acknowledgedAt: t.expose('acknowledgedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When the device first answered; null while it has not.',
    }),
    finishedAt: t.expose('finishedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When it reached its last state; null while it has not.',
    }),
    details: t.field({
      type: 'JSON',
      nullable: true,
      description: 'What the device said beside the answer that counts; null when nothing.',
      resolve: complete((command) => command.details),
    }),
    detailsProblem: t.string({
      nullable: true,
      description:
        'What the details of a success break of the schema that the template has for them; null when they fit.',
      resolve: complete((command) => command.detailsProblem),
    }),
    transitions: t.field({
      type: [transitionRef],
      description: 'Everything that happened to it, in the order in which it became known.',
      complexity: { field: 2, multiplier: 3 },
      resolve: (node, _args, operation) => listTransitions(operation, node),
    }),
    job: t.field({
      type: jobRef,
      nullable: true,
      description: 'The job that sent it to this device among many; null for one that was sent by itself.',
      resolve: async ({ jobId }, _args, operation) =>
        jobId === null ? null : ((await findJob(operation, jobId)) ?? null),
    }),
    device: t.field({
      type: deviceRef,
      description: 'Who is told.',
      async resolve({ deviceId }, _args, operation) {
        const device = await findDevice(operation, deviceId);
        if (!device) throw new Error(`device ${deviceId} of a command is not in the database`);
        return device;
      },
    }),
  }),
});

export const commandFilterInput = builder.inputType('CommandFilter', {
  description:
    'Commands that meet every condition given. A list means any of its values; at most 200 of them.',
  fields: (t) => ({
    deviceKeys: t.stringList({ description: 'For one of these devices.' }),
    types: t.stringList({ description: 'Of one of these types.' }),
    statuses: t.field({ type: [commandStatusEnum], description: 'In one of these states.' }),
    jobId: t.id({ description: 'Sent by this job.' }),
    createdAfter: t.field({ type: 'DateTime', description: 'Sent off at this time or later.' }),
    createdBefore: t.field({ type: 'DateTime', description: 'Sent off before this time.' }),
  }),
});

const commandConnectionRef = builder.connectionObject(
  {
    type: commandRef,
    name: 'CommandConnection',
    description: 'A page of commands.',
    fields: (t) => ({
      totalCount: t.int({
        description: 'How many commands the whole list has, whatever the page; counted up to a million.',
        complexity: TOTAL_COUNT_COST,
        resolve: (connection) => connection.count?.() ?? 0,
      }),
    }),
  },
  { name: 'CommandEdge', description: 'A command in a page.' },
);

const countRef = builder.objectRef<CommandCount>('CommandCount').implement({
  description: 'How many commands are in a state.',
  fields: (t) => ({
    status: t.expose('status', { type: commandStatusEnum, description: 'The state.' }),
    count: t.exposeInt('count', { description: 'How many.' }),
  }),
});

builder.objectField(jobRef, 'commandCounts', (t) =>
  t.field({
    type: [countRef],
    description: 'The commands that it has sent by their state, those that there are; none for other jobs.',
    complexity: { field: 5, multiplier: 8 },
    resolve: (job, _args, operation) => countByStatus(operation, job.id),
  }),
);

builder.queryField('commands', (t) =>
  t.connection(
    {
      type: commandRef,
      description: 'Commands to devices of the tenant, newest first, as long as the tenant keeps readings.',
      complexity: pageCost,
      args: { where: t.arg({ type: commandFilterInput, description: 'Which ones; all by default.' }) },
      resolve: (_root, { where, ...page }, operation) => listCommands(operation, page, where ?? {}),
    },
    commandConnectionRef,
  ),
);

builder.objectField(deviceRef, 'commands', (t) =>
  t.connection(
    {
      type: commandRef,
      description: 'What it was told to do, newest first.',
      complexity: pageCost,
      resolve: (device, args, operation) => listCommands(operation, args, {}, device.id),
    },
    commandConnectionRef,
  ),
);
