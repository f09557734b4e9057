import { builder } from '#api/graphql/builder.ts';
import { pageCost, TOTAL_COUNT_COST } from '#api/graphql/cost.ts';
import { readRowKey } from '#api/graphql/global-ids.ts';
import { rollupFields } from '../presence/service.ts';
import { findSite, findSiteBy, listSites, rollupOf } from './service.ts';
import { loadDeviceCount, type SiteRollup, type SiteRow } from './store.ts';

export interface LocationShape {
  readonly latitude: number;
  readonly longitude: number;
}

export const locationRef = builder.objectRef<LocationShape>('Location').implement({
  description: 'A point on earth, WGS 84.',
  fields: (t) => ({
    latitude: t.exposeFloat('latitude', { description: 'Degrees north, -90 to 90.' }),
    longitude: t.exposeFloat('longitude', { description: 'Degrees east, -180 to 180.' }),
  }),
});

export const locationInput = builder.inputType('LocationInput', {
  description: 'A point on earth, WGS 84.',
  fields: (t) => ({
    latitude: t.float({ required: true, description: 'Degrees north, -90 to 90.' }),
    longitude: t.float({ required: true, description: 'Degrees east, -180 to 180.' }),
  }),
});

/** A location where both coordinates are known, null otherwise. */
export function toLocation(row: { latitude: number | null; longitude: number | null }): LocationShape | null {
  return row.latitude === null || row.longitude === null
    ? null
    : { latitude: row.latitude, longitude: row.longitude };
}

const siteRollupRef = builder.objectRef<SiteRollup>('SiteRollup').implement({
  description:
    'Devices at a site, decommissioned ones left out, counted on the three axes of presence: each device once on each.',
  fields: rollupFields,
});

export const siteRef = builder.objectRef<SiteRow>('Site');

builder.node(siteRef, {
  description: 'A place where devices are.',
  id: { resolve: (site) => site.id },
  loadWithoutCache: (id, operation) => {
    const key = readRowKey(id);
    return key === undefined ? null : findSite(operation, key);
  },
  fields: (t) => ({
    key: t.exposeString('key', { description: 'Names the site within the tenant; never changes.' }),
    name: t.exposeString('name', { description: 'What people call the site.' }),
    timezone: t.exposeString('timezone', { description: 'IANA time zone, for example Europe/Vienna.' }),
    location: t.field({
      type: locationRef,
      nullable: true,
      description: 'Where the site is.',
      resolve: toLocation,
    }),
    address: t.exposeString('address', { description: 'Where letters go; empty when nobody said.' }),
    version: t.exposeInt('version', {
      description: 'Grows with every change; hand it back as `expectedVersion`.',
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was created.' }),
    updatedAt: t.expose('updatedAt', { type: 'DateTime', description: 'When it was last changed.' }),
    rollup: t.field({
      type: siteRollupRef,
      description: 'Its devices by presence, some seconds behind.',
      complexity: 10,
      resolve: (site, _args, operation) => rollupOf(operation, site.id),
    }),
    deviceCount: t.int({
      description: 'Devices at the site, decommissioned ones left out.',
      complexity: 5,
      resolve: (site, _args, operation) => loadDeviceCount(operation, site.id),
    }),
  }),
});

const siteConnectionRef = builder.connectionObject(
  {
    type: siteRef,
    name: 'SiteConnection',
    description: 'A page of sites.',
    fields: (t) => ({
      totalCount: t.int({
        description: 'How many sites the whole list has, whatever the page.',
        complexity: TOTAL_COUNT_COST,
        resolve: (connection) => connection.count?.() ?? 0,
      }),
    }),
  },
  { name: 'SiteEdge', description: 'A site in a page.' },
);

const siteByInput = builder.inputType('SiteBy', {
  description: 'Names one site.',
  isOneOf: true,
  fields: (t) => ({
    id: t.id({ description: 'Its opaque id.' }),
    key: t.string({ description: 'Its key.' }),
  }),
});

const siteFilterInput = builder.inputType('SiteFilter', {
  description: 'Sites that meet every condition given.',
  fields: (t) => ({
    search: t.string({
      description: 'Matches key, name or address, case-insensitively, anywhere in the text.',
    }),
  }),
});

builder.queryFields((t) => ({
  site: t.field({
    type: siteRef,
    nullable: true,
    description: 'One site of the tenant, or null when there is none by that id or key.',
    args: { by: t.arg({ type: siteByInput, required: true, description: 'Which one.' }) },
    resolve: (_root, { by }, operation) => findSiteBy(operation, by),
  }),
  sites: t.connection(
    {
      type: siteRef,
      description: 'Sites of the tenant, in the order of their keys.',
      complexity: pageCost,
      args: {
        where: t.arg({ type: siteFilterInput, description: 'Which ones; all of them by default.' }),
      },
      resolve: (_root, { where, ...page }, operation) => listSites(operation, page, where ?? {}),
    },
    siteConnectionRef,
  ),
}));
