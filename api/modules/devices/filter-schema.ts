import { builder } from '#api/graphql/builder.ts';
import { connectivityEnum, freshnessEnum } from '../presence/schema.ts';
import { deviceStatusEnum } from './enums.ts';

export const boundsInput = builder.inputType('BoundsInput', {
  description: 'A part of the earth between two latitudes and two longitudes, WGS 84.',
  fields: (t) => ({
    south: t.float({ required: true, description: 'Degrees north, -90 to 90.' }),
    west: t.float({
      required: true,
      description:
        'Degrees east, -180 to 180. Greater than `east` for a part that reaches across the 180th meridian.',
    }),
    north: t.float({ required: true, description: 'Degrees north, at least `south`.' }),
    east: t.float({ required: true, description: 'Degrees east, -180 to 180.' }),
  }),
});

const circleInput = builder.inputType('GeoCircle', {
  description: 'Whatever is no further from a point, WGS 84, as the crow flies.',
  fields: (t) => ({
    latitude: t.float({ required: true, description: 'Degrees north, -90 to 90.' }),
    longitude: t.float({ required: true, description: 'Degrees east, -180 to 180.' }),
    meters: t.float({ required: true, description: 'How far, above 0.' }),
  }),
});

const areaInput = builder.inputType('GeoArea', {
  description: 'A part of the earth.',
  isOneOf: true,
  fields: (t) => ({
    box: t.field({ type: boundsInput, description: 'Between two latitudes and two longitudes.' }),
    circle: t.field({ type: circleInput, description: 'Around a point.' }),
  }),
});

export const deviceFilterInput = builder.inputType('DeviceFilter', {
  description:
    'Devices that meet every condition given. A list means any of its values; at most 200 of them, of at most 200 characters.',
  fields: (t) => ({
    search: t.string({
      description:
        'Every word of it is found, case-insensitively and anywhere, in key, name, serial number or a tag.',
    }),
    keys: t.stringList({ description: 'With one of these keys.' }),
    siteKeys: t.stringList({ description: 'At one of these sites.' }),
    statuses: t.field({ type: [deviceStatusEnum], description: 'In one of these states.' }),
    connections: t.field({ type: [connectivityEnum], description: 'Connected like this.' }),
    freshness: t.field({ type: [freshnessEnum], description: 'With data this recent.' }),
    lastSeenBefore: t.field({
      type: 'DateTime',
      description: 'Last heard of before this instant, or never.',
    }),
    lastSeenAfter: t.field({ type: 'DateTime', description: 'Heard of at this instant or later.' }),
    tagsAll: t.stringList({ description: 'Devices that carry every one of these tags.' }),
    tagsAny: t.stringList({ description: 'Devices that carry one of these tags.' }),
    groupKeys: t.stringList({
      description: 'In one of these groups. Not in the filter of a dynamic group.',
    }),
    templateKeys: t.stringList({ description: 'Made from one of these templates.' }),
    templateVersions: t.intList({ description: 'On one of these versions of their template.' }),
    parentKeys: t.stringList({ description: 'Behind one of these gateways.' }),
    hasParent: t.boolean({ description: 'Whether there is a gateway in front of it.' }),
    models: t.stringList({ description: 'Of one of these models.' }),
    firmwares: t.stringList({ description: 'Running one of these versions of firmware.' }),
    attributes: t.field({
      type: 'JSON',
      description:
        'An object of at most 20 attributes, each a text, a number, true, false or null: devices that have all of them with just these values.',
    }),
    within: t.field({
      type: areaInput,
      description: 'Standing here. A device without a location stands nowhere.',
    }),
  }),
});

export const deviceTargetInput = builder.inputType('DeviceTarget', {
  description: 'Which devices something is done to.',
  isOneOf: true,
  fields: (t) => ({
    ids: t.idList({ description: 'These; 1 to 1 000.' }),
    groupKey: t.string({ description: 'Those in this group; decommissioned devices are in none.' }),
    where: t.field({
      type: deviceFilterInput,
      description:
        'Those that meet the filter when the mutation runs; decommissioned ones are left out unless it names statuses.',
    }),
  }),
});
