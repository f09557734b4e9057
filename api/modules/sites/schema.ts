import { builder } from '#api/graphql/builder.ts';
import { pageCost, TOTAL_COUNT_COST } from '#api/graphql/cost.ts';
import { readRowKey } from '#api/graphql/global-ids.ts';
import { findSite, listSites } from './service.ts';
import { loadDeviceCount, type SiteRow } from './store.ts';

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

/** A location where both coordinates are known, null otherwise. */
export function toLocation(row: { latitude: number | null; longitude: number | null }): LocationShape | null {
  return row.latitude === null || row.longitude === null
    ? null
    : { latitude: row.latitude, longitude: row.longitude };
}

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

builder.queryField('sites', (t) =>
  t.connection(
    {
      type: siteRef,
      description: 'Sites of the tenant, in the order of their keys.',
      complexity: pageCost,
      resolve: (_root, args, operation) => listSites(operation, args),
    },
    siteConnectionRef,
  ),
);
