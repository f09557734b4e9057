import { builder } from '#api/graphql/builder.ts';
import { pageCost } from '#api/graphql/cost.ts';
import { readRowKey } from '#api/graphql/global-ids.ts';
import { deviceRef, metricMappingRef } from '../devices/schema.ts';
import { findDevice, readMetricMap } from '../devices/service.ts';
import { emptySlotsOf, findModule, type ModuleRow, modulesOf, removedModulesOf } from './service.ts';

export const moduleRef = builder.objectRef<ModuleRow>('DeviceModule');

builder.node(moduleRef, {
  description: 'What sits in a slot of a device. Once removed it stays as history.',
  id: { resolve: (module) => module.id },
  loadWithoutCache: (id, operation) => {
    const key = readRowKey(id);
    return key === undefined ? null : findModule(operation, key);
  },
  fields: (t) => ({
    device: t.field({
      type: deviceRef,
      description: 'The device that it is, or was, in.',
      async resolve({ deviceId }, _args, operation) {
        const device = await findDevice(operation, deviceId);
        if (!device) throw new Error(`device ${deviceId} of a module is not in the database`);
        return device;
      },
    }),
    slot: t.exposeString('slot', { description: 'Key of the slot, as the template of the device has it.' }),
    name: t.exposeString('name', { description: 'What people call it.' }),
    templateVersion: t.exposeInt('templateVersion', {
      description: 'The version of its template that it was installed with.',
    }),
    serialNumber: t.exposeString('serialNumber', { nullable: true, description: 'As on its plate.' }),
    busAddress: t.exposeString('busAddress', {
      nullable: true,
      description: 'What tells it from others on the same bus.',
    }),
    metricMap: t.field({
      type: [metricMappingRef],
      description: 'Its metrics that come by another name than their template has, or are stored as another.',
      complexity: { field: 1, multiplier: 3 },
      resolve: ({ metricMap }) => readMetricMap(metricMap),
    }),
    installedAt: t.expose('installedAt', { type: 'DateTime', description: 'When it was put in.' }),
    removedAt: t.expose('removedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When it was taken out; null while it is in.',
    }),
  }),
});

builder.objectFields(deviceRef, (t) => ({
  modules: t.field({
    type: [moduleRef],
    description: 'What is in its slots, by slot and in the order of installation.',
    complexity: { field: 2, multiplier: 3 },
    resolve: ({ id }, _args, operation) => modulesOf(operation, id),
  }),
  emptyRequiredSlots: t.stringList({
    description: 'Keys of the slots that its template says must not be empty and in which nothing is.',
    complexity: 2,
    resolve: ({ id }, _args, operation) => emptySlotsOf(operation, id),
  }),
  removedModules: t.field({
    type: [moduleRef],
    description: 'What was taken out of its slots last, the newest first.',
    complexity: pageCost,
    args: {
      first: t.arg.int({ required: true, defaultValue: 25, description: 'How many at most; 1 to 100.' }),
    },
    resolve: ({ id }, { first }, operation) => removedModulesOf(operation, id, first),
  }),
}));
