import { builder } from '#api/graphql/builder.ts';
import { readRowKey } from '#api/graphql/global-ids.ts';
import { deviceRef } from '../devices/schema.ts';
import { findDevice } from '../devices/service.ts';
import { transportLinkEnum, transportProtocolEnum } from '../templates/schema.ts';
import { findTransport, type TransportRow, transportsOf } from './service.ts';

export { transportLinkEnum, transportProtocolEnum };

export const transportRef = builder.objectRef<TransportRow>('DeviceTransport');

builder.node(transportRef, {
  description: 'A way by which messages of a device come.',
  id: { resolve: (transport) => transport.id },
  loadWithoutCache: (id, operation) => {
    const key = readRowKey(id);
    return key === undefined ? null : findTransport(operation, key);
  },
  fields: (t) => ({
    device: t.field({
      type: deviceRef,
      description: 'Whose it is.',
      async resolve({ deviceId }, _args, operation) {
        const device = await findDevice(operation, deviceId);
        if (!device) throw new Error(`device ${deviceId} of a transport is not in the database`);
        return device;
      },
    }),
    protocol: t.expose('protocol', { type: transportProtocolEnum, description: 'How messages come.' }),
    link: t.expose('link', {
      type: transportLinkEnum,
      nullable: true,
      description: 'Over what; null where nobody said.',
    }),
    settings: t.field({
      type: 'JSON',
      description:
        'An object of whatever the owner keeps about it: no secrets, whoever sees the device sees it.',
      resolve: ({ settings }) => settings,
    }),
    isPrimary: t.exposeBoolean('isPrimary', {
      description: 'Whether it is the one to be reached by; a device with transports has one such.',
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was entered.' }),
    updatedAt: t.expose('updatedAt', { type: 'DateTime', description: 'When it was last changed.' }),
  }),
});

builder.objectField(deviceRef, 'transports', (t) =>
  t.field({
    type: [transportRef],
    description: 'How its messages come, the primary way first.',
    complexity: { field: 2, multiplier: 2 },
    resolve: ({ id }, _args, operation) => transportsOf(operation, id),
  }),
);
