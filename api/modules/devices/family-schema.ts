import { builder } from '#api/graphql/builder.ts';
import { pageCost } from '#api/graphql/cost.ts';
import { loadChildCount } from './children.ts';
import { readMetricMap } from './metric-map.ts';
import { deviceConnectionRef, deviceRef, metricMappingRef } from './schema.ts';
import { completeDevice, findDevice, listDevices } from './service.ts';

builder.objectFields(deviceRef, (t) => ({
  metricMap: t.field({
    type: [metricMappingRef],
    description: 'What it calls its metrics, where that is not what they are stored as.',
    complexity: { field: 1, multiplier: 3 },
    resolve: async (node, _args, operation) =>
      readMetricMap((await completeDevice(operation, node)).metricMap),
  }),
  parent: t.field({
    type: deviceRef,
    nullable: true,
    description: 'The gateway that speaks for it; null when it speaks for itself.',
    async resolve(node, _args, operation) {
      const { parentId } = await completeDevice(operation, node);
      return parentId === null ? null : findDevice(operation, parentId);
    },
  }),
  children: t.connection(
    {
      type: deviceRef,
      description: 'The devices that it speaks for, in the order of their keys.',
      complexity: pageCost,
      resolve: (device, args, operation) =>
        listDevices(operation, args, { parentKeys: [device.key] }, { field: 'KEY', direction: 'ASC' }),
    },
    deviceConnectionRef,
  ),
  childCount: t.int({
    description: 'How many devices it speaks for, decommissioned ones left out.',
    resolve: ({ id }, _args, operation) => loadChildCount(operation, id),
  }),
}));
