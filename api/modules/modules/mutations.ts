import { builder } from '#api/graphql/builder.ts';
import { defineMutation, type SuccessFields } from '#api/graphql/define-mutation.ts';
import { deviceRef, requireDevice } from '../devices/schema.ts';
import { installModule, type ModuleChanged, removeModule, updateModule } from './changes.ts';
import { moduleRef } from './schema.ts';
import { requireModule } from './service.ts';

const mappingInput = builder.inputType('ModuleMetricMappingInput', {
  description: 'Renames a metric of a module on its way in: stored = raw × scale + offset.',
  fields: (t) => ({
    raw: t.string({
      required: true,
      description:
        'What the device calls it in its messages: 1 to 128 of A-Z a-z 0-9 _ . - beginning with a letter or _.',
    }),
    metric: t.string({ required: true, description: 'What it is stored as, of the same characters.' }),
    scale: t.float({ description: 'What a number is multiplied with; not 0; 1 by default.' }),
    offset: t.float({ description: 'What is added to it then; 0 by default.' }),
    templateMetric: t.string({
      description:
        'Which metric of the module’s template it is; by default the one called like `raw`, or like `metric`.',
    }),
  }),
});

const expectedVersion = 'Version of the device that the caller has seen; another one is a ConflictError.';

const changedFields: SuccessFields<ModuleChanged> = (t) => ({
  module: t.field({
    type: moduleRef,
    description: 'The module as it is now.',
    resolve: ({ moduleId }, _args, operation) => requireModule(operation, moduleId),
  }),
  device: t.field({
    type: deviceRef,
    description: 'Its device as it is now.',
    resolve: ({ deviceId }, _args, operation) => requireDevice(operation, deviceId),
  }),
});

defineMutation({
  name: 'moduleInstall',
  description:
    'Puts a module into a slot of a device; every metric of its template becomes a sensor of the device. Needs `devices.write`.',
  input: {
    description: 'A module to install.',
    argument: 'The module.',
    fields: (t) => ({
      deviceId: t.id({ required: true, description: 'In which device; it has a template.' }),
      expectedVersion: t.int({ description: expectedVersion }),
      slot: t.string({ required: true, description: 'Key of the slot, as the device’s template has it.' }),
      templateKey: t.string({
        required: true,
        description:
          'Key of the module’s template, taken in its newest version: one that the slot names or, where it names none, an EXPANSION_MODULE or a SENSOR.',
      }),
      name: t.string({ description: 'At most 200 characters; the name of the template by default.' }),
      serialNumber: t.string({ description: 'At most 128 characters.' }),
      busAddress: t.string({
        description:
          'At most 64 characters, unique in the slot. Needed where a bus (I2C, SPI, ONE_WIRE, RS485, MODBUS_RTU, CAN, BLUETOOTH, LORA) takes several modules.',
      }),
      metricMap: t.field({
        type: [mappingInput],
        description:
          'Metrics of the module that come by another name than their template has, or are to be stored as another: at most 200. No two things of a device come by one name or are stored as one.',
      }),
    }),
  },
  run: (operation, { input }) => installModule(operation, input),
  result: 'What came of installing a module.',
  success: { description: 'The module is in its slot.', fields: changedFields },
});

defineMutation({
  name: 'moduleUpdate',
  description:
    'Changes a module where it is. A metric that gets another name goes on as another sensor. Needs `devices.write`.',
  input: {
    description: 'Changes to a module. What is absent stays; null clears what may be empty.',
    argument: 'The changes.',
    fields: (t) => ({
      id: t.id({ required: true, description: 'Which module.' }),
      expectedVersion: t.int({ description: expectedVersion }),
      name: t.string({ description: 'At most 200 characters.' }),
      serialNumber: t.string({ description: 'At most 128 characters; null for none.' }),
      busAddress: t.string({ description: 'At most 64 characters, unique in the slot; null for none.' }),
      metricMap: t.field({ type: [mappingInput], description: 'All of its map: at most 200 entries.' }),
    }),
  },
  run: (operation, { input }) => updateModule(operation, input),
  result: 'What came of changing a module.',
  success: { description: 'The module was changed.', fields: changedFields },
});

defineMutation({
  name: 'moduleRemove',
  description:
    'Takes a module out of its slot. Its sensors become inactive; what they measured stays. Needs `devices.write`.',
  input: {
    description: 'A module to remove.',
    argument: 'Which module.',
    fields: (t) => ({
      id: t.id({ required: true, description: 'Which module.' }),
      expectedVersion: t.int({ description: expectedVersion }),
    }),
  },
  run: (operation, { input }) => removeModule(operation, input),
  result: 'What came of removing a module.',
  success: { description: 'The module is out.', fields: changedFields },
});
