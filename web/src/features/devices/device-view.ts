import type {
  Connectivity,
  DeviceFilter,
  DeviceOrder,
  DeviceOrderField,
  DeviceStatus,
  Freshness,
} from '../../generated/graphql.ts';
import type { Sort } from '../../ui/data-table.tsx';
import { readChoices, readList, type UrlCodec } from '../../ui/url-state.ts';

/** What the device list shows: the part of it that is in the URL. */
export type DeviceView = {
  readonly search: string;
  readonly connections: readonly Connectivity[];
  readonly freshness: readonly Freshness[];
  /** None chosen means everything in service: active and disabled. */
  readonly statuses: readonly DeviceStatus[];
  /** Keys, like those of groups and templates. */
  readonly sites: readonly string[];
  readonly groups: readonly string[];
  readonly templates: readonly string[];
  readonly tags: readonly string[];
  readonly sort: Sort<DeviceOrderField>;
};

export const connections = ['ONLINE', 'OFFLINE', 'UNKNOWN'] as const satisfies readonly Connectivity[];
export const freshnesses = ['FRESH', 'STALE', 'SILENT'] as const satisfies readonly Freshness[];
export const statuses = ['ACTIVE', 'DISABLED', 'DECOMMISSIONED'] as const satisfies readonly DeviceStatus[];

const sortNames = { name: 'NAME', key: 'KEY', created: 'CREATED_AT', seen: 'LAST_SEEN_AT' } as const;
const defaultSort: Sort<DeviceOrderField> = { field: 'NAME', direction: 'ASC' };

export const emptyView: DeviceView = {
  search: '',
  connections: [],
  freshness: [],
  statuses: [],
  sites: [],
  groups: [],
  templates: [],
  tags: [],
  sort: defaultSort,
};

function parseSort(text: string | null): Sort<DeviceOrderField> {
  const name = text?.replace(/^-/, '');
  const entry = Object.entries(sortNames).find(([key]) => key === name);
  return entry ? { field: entry[1], direction: text?.startsWith('-') ? 'DESC' : 'ASC' } : defaultSort;
}

function formatSort(sort: Sort<DeviceOrderField>): string {
  if (sort.field === defaultSort.field && sort.direction === defaultSort.direction) return '';
  const name = Object.entries(sortNames).find(([, field]) => field === sort.field)?.[0] ?? 'name';
  return sort.direction === 'DESC' ? `-${name}` : name;
}

/** `?q=pump&connection=offline,unknown&freshness=stale&status=disabled&site=north&group=pilots&template=pump&tag=roof&sort=-seen` */
export const deviceViewCodec: UrlCodec<DeviceView> = {
  parse(params) {
    return {
      search: (params.get('q') ?? '').trim(),
      connections: readChoices(params, 'connection', connections),
      freshness: readChoices(params, 'freshness', freshnesses),
      statuses: readChoices(params, 'status', statuses),
      sites: readList(params, 'site'),
      groups: readList(params, 'group'),
      templates: readList(params, 'template'),
      tags: readList(params, 'tag'),
      sort: parseSort(params.get('sort')),
    };
  },
  format(view) {
    const params = new URLSearchParams();
    const put = (key: string, value: string) => value !== '' && params.set(key, value);
    const choices = (allowed: readonly string[], chosen: readonly string[]) =>
      allowed
        .filter((value) => chosen.includes(value))
        .join(',')
        .toLowerCase();
    put('q', view.search.trim());
    put('connection', choices(connections, view.connections));
    put('freshness', choices(freshnesses, view.freshness));
    put('status', choices(statuses, view.statuses));
    const list = (values: readonly string[]) => [...values].sort().join(',');
    put('site', list(view.sites));
    put('group', list(view.groups));
    put('template', list(view.templates));
    put('tag', list(view.tags));
    put('sort', formatSort(view.sort));
    return params;
  },
};

/** The API's filter for a view. */
export function toDeviceFilter(view: DeviceView): DeviceFilter {
  return {
    statuses: view.statuses.length > 0 ? [...view.statuses] : ['ACTIVE', 'DISABLED'],
    ...(view.search === '' ? {} : { search: view.search }),
    ...(view.connections.length > 0 ? { connections: [...view.connections] } : {}),
    ...(view.freshness.length > 0 ? { freshness: [...view.freshness] } : {}),
    ...(view.sites.length > 0 ? { siteKeys: [...view.sites] } : {}),
    ...(view.groups.length > 0 ? { groupKeys: [...view.groups] } : {}),
    ...(view.templates.length > 0 ? { templateKeys: [...view.templates] } : {}),
    ...(view.tags.length > 0 ? { tagsAll: [...view.tags] } : {}),
  };
}

export function toDeviceOrder(view: DeviceView): DeviceOrder {
  return { field: view.sort.field, direction: view.sort.direction };
}

/** Whether anything narrows the list. */
export function isFiltered(view: DeviceView): boolean {
  return deviceViewCodec.format({ ...view, sort: defaultSort }).size > 0;
}
