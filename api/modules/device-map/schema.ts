import { builder } from '#api/graphql/builder.ts';
import { boundsInput, deviceFilterInput, deviceStatusEnum } from '../devices/schema.ts';
import { connectivityEnum, freshnessEnum } from '../presence/schema.ts';
import { locationRef } from '../sites/schema.ts';
import { type DeviceMap, type DevicePin, MAX_PINS, mapDevices } from './service.ts';

const pinRef = builder.objectRef<DevicePin>('DevicePin').implement({
  description: 'A device as a point on a map; `device(by: {key})` has the rest of it.',
  fields: (t) => ({
    key: t.exposeString('key', { description: 'Names the device within the tenant.' }),
    name: t.exposeString('name', { description: 'What people call the device.' }),
    status: t.expose('status', { type: deviceStatusEnum, description: 'What the owner says about it.' }),
    location: t.field({
      type: locationRef,
      description: 'Its own point, or its site’s.',
      resolve: ({ latitude, longitude }) => ({ latitude, longitude }),
    }),
    atSite: t.exposeBoolean('atSite', {
      description: 'Whether the point is the site’s, because the device has none of its own.',
    }),
    connection: t.expose('connection', {
      type: connectivityEnum,
      description: 'Whether it is connected.',
    }),
    freshness: t.expose('freshness', {
      type: freshnessEnum,
      description: 'How recent its last message is.',
    }),
  }),
});

const mapRef = builder.objectRef<DeviceMap>('DeviceMap').implement({
  description: 'Devices as points.',
  fields: (t) => ({
    pins: t.field({
      type: [pinRef],
      description: `At most ${MAX_PINS} of them.`,
      complexity: 200,
      resolve: ({ pins }) => [...pins],
    }),
    truncated: t.exposeBoolean('truncated', {
      description: 'Whether there are more than fit; ask for a smaller part, or filter.',
    }),
    unplacedCount: t.int({
      description: 'Devices of the filter without a point, wherever the bounds are.',
      complexity: 50,
      resolve: (map) => map.unplaced(),
    }),
  }),
});

builder.queryField('deviceMap', (t) =>
  t.field({
    type: mapRef,
    description: 'Where the devices of the tenant are, in one answer.',
    args: {
      where: t.arg({ type: deviceFilterInput, description: 'Which ones; all of them by default.' }),
      within: t.arg({ type: boundsInput, description: 'Only those in this part; everywhere by default.' }),
    },
    resolve: (_root, { where, within }, operation) => mapDevices(operation, where ?? {}, within ?? undefined),
  }),
);
