import { builder } from '#api/graphql/builder.ts';
import { readRowKey } from '#api/graphql/global-ids.ts';
import { deviceRef } from '../devices/schema.ts';
import { findDevice } from '../devices/service.ts';
import { moduleRef } from '../modules/schema.ts';
import { findModule } from '../modules/service.ts';
import { latestValueRef } from '../telemetry/schema.ts';
import { latestOf } from '../telemetry/service.ts';
import { metricTypeEnum } from '../templates/schema.ts';
import { findSensor, type SensorRow, sensorsOf, sensorsOfModule } from './service.ts';

export { metricTypeEnum };

const sensorSourceEnum = builder.enumType('SensorSource', {
  description: 'Who brought a sensor.',
  values: {
    TEMPLATE: { description: 'The template of the device.' },
    MODULE: { description: 'A module in the device.' },
    DISCOVERED: { description: 'It was found in the data.' },
    MANUAL: { description: 'Somebody said so.' },
  } as const,
});

export const sensorRef = builder.objectRef<SensorRow>('DeviceSensor');

builder.node(sensorRef, {
  description: 'A point of a device that is measured.',
  id: { resolve: (sensor) => sensor.id },
  loadWithoutCache: (id, operation) => {
    const key = readRowKey(id);
    return key === undefined ? null : findSensor(operation, key);
  },
  fields: (t) => ({
    device: t.field({
      type: deviceRef,
      description: 'Whose it is.',
      async resolve({ deviceId }, _args, operation) {
        const device = await findDevice(operation, deviceId);
        if (!device) throw new Error(`device ${deviceId} of a sensor is not in the database`);
        return device;
      },
    }),
    module: t.field({
      type: moduleRef,
      nullable: true,
      description: 'The module that brings it, or brought it; null for one of the device itself.',
      resolve: ({ moduleId }, _args, operation) =>
        moduleId === null ? null : findModule(operation, moduleId),
    }),
    metric: t.exposeString('metric', { description: 'The key of its values in readings.' }),
    templateMetric: t.exposeString('templateMetric', {
      nullable: true,
      description: 'The key that the template of the device, or of its module, has for it.',
    }),
    name: t.exposeString('name', { description: 'What people call it.' }),
    type: t.expose('type', { type: metricTypeEnum, description: 'What its values are.' }),
    unit: t.exposeString('unit', { nullable: true, description: 'UCUM where there is a code.' }),
    min: t.exposeFloat('min', { nullable: true, description: 'The least that can be true.' }),
    max: t.exposeFloat('max', { nullable: true, description: 'The greatest that can be true.' }),
    source: t.expose('source', { type: sensorSourceEnum, description: 'Who brought it.' }),
    active: t.exposeBoolean('active', {
      description: 'Whether it counts; a module’s sensors do not once it is removed.',
    }),
    isModelled: t.boolean({
      description: 'Whether anybody has said what it is; false for a discovered one that nobody described.',
      resolve: ({ source, modelledAt }) => source !== 'DISCOVERED' || modelledAt !== null,
    }),
    latest: t.field({
      type: latestValueRef,
      nullable: true,
      description: 'Its newest value; null when there is none.',
      async resolve({ deviceId, metric }, _args, operation) {
        const [value] = await latestOf(operation, deviceId, [metric]);
        return value ?? null;
      },
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it appeared.' }),
    updatedAt: t.expose('updatedAt', { type: 'DateTime', description: 'When it was last changed.' }),
  }),
});

builder.objectField(deviceRef, 'sensors', (t) =>
  t.field({
    type: [sensorRef],
    description: 'What is measured at it, in the order of the metrics.',
    complexity: { field: 2, multiplier: 8 },
    args: {
      includeInactive: t.arg.boolean({
        required: true,
        defaultValue: false,
        description: 'Whether those are listed too that do not count any more.',
      }),
    },
    resolve: ({ id }, { includeInactive }, operation) => sensorsOf(operation, id, includeInactive),
  }),
);

builder.objectField(moduleRef, 'sensors', (t) =>
  t.field({
    type: [sensorRef],
    description: 'What it measures, or measured, in the order of the metrics.',
    complexity: { field: 2, multiplier: 4 },
    resolve: (module, _args, operation) => sensorsOfModule(operation, module),
  }),
);
