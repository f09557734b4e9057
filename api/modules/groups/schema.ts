import { builder } from '#api/graphql/builder.ts';
import { pageCost, TOTAL_COUNT_COST } from '#api/graphql/cost.ts';
import { readRowKey } from '#api/graphql/global-ids.ts';
import { deviceConnectionRef, deviceOrderInput, deviceRef } from '../devices/schema.ts';
import { listDevices } from '../devices/service.ts';
import { countDevicesOf, findGroup, findGroupBy, groupsOf, listGroups } from './service.ts';
import type { GroupRow } from './store.ts';

export const groupRef = builder.objectRef<GroupRow>('DeviceGroup');

const groupKindEnum = builder.enumType('DeviceGroupKind', {
  description: 'How a group comes by its devices.',
  values: {
    STATIC: { description: 'They were put into it.' },
    DYNAMIC: { description: 'They are whatever meets its filter, always as it is now.' },
  },
});

/** A dynamic group asks its filter; a device of a page asks all of them at once. */
const COUNT_COST = 20;

builder.node(groupRef, {
  description: 'Devices that belong together: for lists, rules, commands and bulk changes.',
  id: { resolve: (group) => group.id },
  loadWithoutCache: (id, operation) => {
    const key = readRowKey(id);
    return key === undefined ? null : findGroup(operation, key);
  },
  fields: (t) => ({
    key: t.exposeString('key', { description: 'Names the group within the tenant; never changes.' }),
    name: t.exposeString('name', { description: 'What people call the group.' }),
    description: t.exposeString('description', { description: 'What it is for; may be empty.' }),
    kind: t.expose('kind', { type: groupKindEnum, description: 'How it comes by its devices.' }),
    filter: t.expose('filter', {
      type: 'JSON',
      nullable: true,
      description: 'Of a dynamic group: a `DeviceFilter`; null for a static one.',
    }),
    version: t.exposeInt('version', {
      description: 'Grows with every change of the group itself; hand it back as `expectedVersion`.',
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was made.' }),
    updatedAt: t.expose('updatedAt', { type: 'DateTime', description: 'When it was last changed.' }),
    deviceCount: t.int({
      description: 'Devices in it, decommissioned ones left out unless its filter names statuses.',
      complexity: COUNT_COST,
      resolve: (group, _args, operation) => countDevicesOf(operation, group),
    }),
    devices: t.connection(
      {
        type: deviceRef,
        description: 'The devices in it.',
        complexity: pageCost,
        args: {
          orderBy: t.arg({ type: deviceOrderInput, description: 'In what order; by key by default.' }),
        },
        resolve: (group, { orderBy, ...page }, operation) =>
          listDevices(
            operation,
            page,
            { groupKeys: [group.key] },
            orderBy ?? { field: 'KEY', direction: 'ASC' },
          ),
      },
      deviceConnectionRef,
    ),
  }),
});

builder.objectField(deviceRef, 'groups', (t) =>
  t.field({
    type: [groupRef],
    description: 'The groups it is in, static and dynamic, in the order of their keys.',
    complexity: { field: 5, multiplier: 3 },
    resolve: (device, _args, operation) => groupsOf(operation, device.id),
  }),
);

const groupByInput = builder.inputType('DeviceGroupBy', {
  description: 'Names one group.',
  isOneOf: true,
  fields: (t) => ({
    id: t.id({ description: 'Its opaque id.' }),
    key: t.string({ description: 'Its key.' }),
  }),
});

const groupFilterInput = builder.inputType('DeviceGroupFilter', {
  description: 'Groups that meet every condition given.',
  fields: (t) => ({
    search: t.string({ description: 'Matches key or name, case-insensitively, anywhere in the text.' }),
    kinds: t.field({ type: [groupKindEnum], description: 'Of one of these kinds.' }),
  }),
});

const groupConnectionRef = builder.connectionObject(
  {
    type: groupRef,
    name: 'DeviceGroupConnection',
    description: 'A page of groups.',
    fields: (t) => ({
      totalCount: t.int({
        description: 'How many groups the whole list has, whatever the page.',
        complexity: TOTAL_COUNT_COST,
        resolve: (connection) => connection.count?.() ?? 0,
      }),
    }),
  },
  { name: 'DeviceGroupEdge', description: 'A group in a page.' },
);

builder.queryFields((t) => ({
  group: t.field({
    type: groupRef,
    nullable: true,
    description: 'One group of the tenant, or null when there is none by that id or key.',
    args: { by: t.arg({ type: groupByInput, required: true, description: 'Which one.' }) },
    resolve: (_root, { by }, operation) => findGroupBy(operation, by),
  }),
  groups: t.connection(
    {
      type: groupRef,
      description: 'Groups of the tenant, in the order of their keys.',
      complexity: pageCost,
      args: { where: t.arg({ type: groupFilterInput, description: 'Which ones; all of them by default.' }) },
      resolve: (_root, { where, ...page }, operation) => listGroups(operation, page, where ?? {}),
    },
    groupConnectionRef,
  ),
}));
