import type { QueryFleet } from './query-fleet.ts';

/** One thing that people ask of a fleet. */
export interface QueryCase {
  readonly name: string;
  readonly document: string;
  readonly variables: Readonly<Record<string, unknown>>;
  /** Its page can be asked for in any size, by `$first`. */
  readonly paged: boolean;
  /** What the 95th percentile stays below, in ms. Default QUERY_P95_MS. */
  readonly p95Ms?: number;
}

/** A page of a list as the console shows it. */
const PAGE = `nodes { id key name status tags model firmware site { id key name } parent { key name }
    presence { connection freshness credential lastSeenAt connectionChangedAt } latest { metric value at receivedAt } }
  pageInfo { hasNextPage endCursor }`;
const LIST = `query ($first: Int!, $after: String, $where: DeviceFilter, $orderBy: DeviceOrder) {
  devices(first: $first, after: $after, where: $where, orderBy: $orderBy) { ${PAGE} } }`;
/** The first page says how many there are. */
const COUNTED = LIST.replace(PAGE, `totalCount ${PAGE}`);
const GROUP = `query ($first: Int!, $key: String!) {
  group(by: { key: $key }) { key deviceCount devices(first: $first) { ${PAGE} } } }`;
const GROUP_COUNT = 'query ($key: String!) { group(by: { key: $key }) { deviceCount } }';
const GROUPS = `query ($first: Int!, $where: DeviceGroupFilter) {
  groups(first: $first, where: $where) { totalCount nodes { key name kind deviceCount } } }`;
/** As many counts in one request as the page has groups. */
const GROUPS_P95_MS = 300;
const SITES = `query ($first: Int!) { sites(first: $first) { totalCount nodes { key name deviceCount
  rollup { devices online offline unknown fresh stale silent } } } }`;
const SUMMARY = `query ($where: DeviceFilter) { fleetSummary(where: $where) {
  devices online offline unknown fresh stale silent credentialActive credentialExpiring credentialRevoked credentialNone } }`;

type Where = Readonly<Record<string, unknown>>;
type Order = readonly ['KEY' | 'NAME' | 'CREATED_AT' | 'LAST_SEEN_AT', 'ASC' | 'DESC'];

/** The cursor of a device in a list by key. */
const cursorOf = (key: string): string =>
  Buffer.from(JSON.stringify(['devices/KEY', key, '0'])).toString('base64url');

const filtered = (name: string, where: Where): QueryCase => ({
  ...{ name, document: COUNTED, variables: { where }, paged: true },
});
const sorted = (name: string, [field, direction]: Order): QueryCase => ({
  ...{ name, document: COUNTED, variables: { orderBy: { field, direction } }, paged: true },
});

/** What `bench query` asks; of every case with `paged` a page of any size. */
export function queryCases({ middleKey, middleSerial, gatewayKey }: QueryFleet): readonly QueryCase[] {
  const word = (text: string, from: number, to: number) => text.slice(from, to);
  return [
    { name: 'list, first page', document: COUNTED, variables: {}, paged: true },
    { name: 'list, deep page', document: LIST, variables: { after: cursorOf(middleKey) }, paged: true },
    sorted('list by name', ['NAME', 'ASC']),
    sorted('list by creation, newest first', ['CREATED_AT', 'DESC']),
    sorted('list by last seen, newest first', ['LAST_SEEN_AT', 'DESC']),
    sorted('list by last seen, oldest first', ['LAST_SEEN_AT', 'ASC']),
    filtered('filter by a tag of few', { tagsAny: ['recall'] }),
    filtered('filter by two tags', { tagsAll: ['line-7', 'indoor'] }),
    filtered('filter by a tag of half', { tagsAny: ['outdoor'] }),
    filtered('filter by site', { siteKeys: ['site-0000'] }),
    filtered('filter by template', { templateKeys: ['dc-power-meter'] }),
    filtered('filter by gateway', { parentKeys: [gatewayKey] }),
    filtered('filter by connection', { connections: ['OFFLINE'] }),
    filtered('filter by freshness', { freshness: ['STALE', 'SILENT'] }),
    filtered('filter by an attribute of few', { attributes: { contract: 77 } }),
    filtered('filter by two attributes', { attributes: { customer: 'fjord', critical: true } }),
    filtered('filter by status, template, presence', {
      ...{
        statuses: ['ACTIVE'],
        templateKeys: ['temperature-probe'],
        connections: ['ONLINE'],
        tagsAny: ['line-3'],
      },
    }),
    filtered('filter by place', { within: { circle: { latitude: 51, longitude: 11, meters: 50_000 } } }),
    filtered('filter by group', { groupKeys: ['static-0'], freshness: ['STALE'] }),
    filtered('search a key', { search: middleKey }),
    filtered('search a beginning of keys', { search: word(middleKey, 0, 8) }),
    filtered('search within serial numbers', { search: word(middleSerial, 4, 9) }),
    filtered('search two words', { search: 'harbour meter' }),
    filtered('search two letters', { search: 'de' }),
    filtered('search for nothing there is', { search: 'zeppelin' }),
    { name: 'group, static', document: GROUP, variables: { key: 'static-0' }, paged: true },
    { name: 'group, dynamic', document: GROUP, variables: { key: 'dynamic-1' }, paged: true },
    { name: 'group count, static', document: GROUP_COUNT, variables: { key: 'static-0' }, paged: false },
    {
      name: 'group count, dynamic by tags',
      document: GROUP_COUNT,
      variables: { key: 'dynamic-1' },
      paged: false,
    },
    {
      ...{ name: 'group count, dynamic by presence', document: GROUP_COUNT },
      ...{ variables: { key: 'dynamic-4' }, paged: false },
    },
    {
      name: 'group count, dynamic of all',
      document: GROUP_COUNT,
      variables: { key: 'dynamic-9' },
      paged: false,
    },
    { name: 'groups with counts', document: GROUPS, variables: {}, paged: true, p95Ms: GROUPS_P95_MS },
    { name: 'fleet summary', document: SUMMARY, variables: {}, paged: false },
    {
      ...{ name: 'fleet summary of a template', document: SUMMARY },
      ...{ variables: { where: { templateKeys: ['gateway'] } }, paged: false },
    },
    { name: 'sites with rollups', document: SITES, variables: {}, paged: true },
  ];
}
