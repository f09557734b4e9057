import { defineMutation, type SuccessFields } from '#api/graphql/define-mutation.ts';
import { deviceRef, requireDevice } from '../devices/schema.ts';
import { createSensor, deleteSensor, type SensorChanged, updateSensor } from './changes.ts';
import { metricTypeEnum, sensorRef } from './schema.ts';
import { requireSensor } from './service.ts';

const expectedVersion = 'Version of the device that the caller has seen; another one is a ConflictError.';

const changedFields: SuccessFields<SensorChanged> = (t) => ({
  sensor: t.field({
    type: sensorRef,
    description: 'The sensor as it is now.',
    resolve: ({ sensorId }, _args, operation) => requireSensor(operation, sensorId),
  }),
  device: t.field({
    type: deviceRef,
    description: 'Its device as it is now.',
    resolve: ({ deviceId }, _args, operation) => requireDevice(operation, deviceId),
  }),
});

defineMutation({
  name: 'sensorCreate',
  description:
    'Says that something is measured at a device. A metric that the template of the device names is as the template says. Needs `devices.write`.',
  input: {
    description: 'A sensor to create.',
    argument: 'The sensor.',
    fields: (t) => ({
      deviceId: t.id({ required: true, description: 'At which device; it has at most 1 000 sensors.' }),
      expectedVersion: t.int({ description: expectedVersion }),
      metric: t.string({
        required: true,
        description:
          'The key of its values in readings: 1 to 128 of A-Z a-z 0-9 _ . - beginning with a letter or _.',
      }),
      name: t.string({
        description: 'At most 200 characters; by default what the template calls it, or the key.',
      }),
      type: t.field({
        type: metricTypeEnum,
        description: 'What its values are; by default what the template says, or FLOAT.',
      }),
      unit: t.string({ description: 'At most 32 characters; UCUM where there is a code.' }),
      min: t.float({ description: 'The least that can be true; numbers only.' }),
      max: t.float({ description: 'The greatest that can be true; numbers only.' }),
    }),
  },
  run: (operation, { input }) => createSensor(operation, input),
  result: 'What came of creating a sensor.',
  success: { description: 'The sensor exists.', fields: changedFields },
});

defineMutation({
  name: 'sensorUpdate',
  description:
    'Changes a sensor. One that a template or a module brought can be named, and deactivated unless it is required; a discovered one that is described counts as modelled. Needs `devices.write`.',
  input: {
    description: 'Changes to a sensor. What is absent stays; null clears what may be empty.',
    argument: 'The changes.',
    fields: (t) => ({
      id: t.id({ required: true, description: 'Which sensor.' }),
      expectedVersion: t.int({ description: expectedVersion }),
      name: t.string({ description: 'At most 200 characters.' }),
      type: t.field({ type: metricTypeEnum, description: 'What its values are.' }),
      unit: t.string({ description: 'At most 32 characters; null for none.' }),
      min: t.float({ description: 'The least that can be true; null for no bound.' }),
      max: t.float({ description: 'The greatest that can be true; null for no bound.' }),
      active: t.boolean({ description: 'Whether it counts.' }),
    }),
  },
  run: (operation, { input }) => updateSensor(operation, input),
  result: 'What came of changing a sensor.',
  success: { description: 'The sensor was changed.', fields: changedFields },
});

defineMutation({
  name: 'sensorDelete',
  description:
    'Forgets a sensor that somebody made or that was found in the data; its readings stay. Needs `devices.write`.',
  input: {
    description: 'A sensor to delete.',
    argument: 'Which sensor.',
    fields: (t) => ({
      id: t.id({ required: true, description: 'Which sensor.' }),
      expectedVersion: t.int({ description: expectedVersion }),
    }),
  },
  run: (operation, { input }) => deleteSensor(operation, input),
  result: 'What came of deleting a sensor.',
  success: {
    description: 'The sensor is gone.',
    fields: (t) => ({
      id: t.exposeID('id', { description: 'The id that it had.' }),
      device: t.field({
        type: deviceRef,
        description: 'Its device as it is now.',
        resolve: ({ deviceId }, _args, operation) => requireDevice(operation, deviceId),
      }),
    }),
  },
});
