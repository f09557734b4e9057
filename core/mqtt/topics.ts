import type { Dialect } from '../fleet/dialects/dialect.ts';
import { type DeviceKey, isDeviceKey, isTenantSlug, type TenantSlug } from '../fleet/ids.ts';

/** What a device says: the end of the topics it may publish to. */
export const UPLINK_LEAVES = [
  'telemetry',
  'heartbeat',
  'status',
  'shadow/reported',
  'commands/ack',
  'ota/status',
] as const;
/** What a device hears: the end of the topics it may subscribe to. */
export const DOWNLINK_LEAVES = ['shadow/desired', 'commands', 'ota'] as const;

export type UplinkLeaf = (typeof UPLINK_LEAVES)[number];
export type DownlinkLeaf = (typeof DOWNLINK_LEAVES)[number];
export type Leaf = UplinkLeaf | DownlinkLeaf;

/** What a topic names: whose it is and what is said there. */
export interface DeviceTopic {
  readonly tenant: TenantSlug;
  readonly device: DeviceKey;
  readonly leaf: Leaf;
}

/** The longest topic that can be valid, in bytes. */
export const MAX_TOPIC_BYTES = 'tenant/'.length + 63 + '/device/'.length + 128 + '/shadow/reported'.length;

const UPLINK: ReadonlySet<string> = new Set(UPLINK_LEAVES);
const DOWNLINK: ReadonlySet<string> = new Set(DOWNLINK_LEAVES);

export const isUplinkLeaf = (text: string): text is UplinkLeaf => UPLINK.has(text);
export const isDownlinkLeaf = (text: string): text is DownlinkLeaf => DOWNLINK.has(text);

/** Everything of one device begins with this; it ends in a slash. */
export function topicPrefix(tenant: string, device: string): string {
  return `tenant/${tenant}/device/${device}/`;
}

export function buildTopic(tenant: string, device: string, leaf: Leaf): string {
  return topicPrefix(tenant, device) + leaf;
}

/** A topic that one device may publish to, and what a message there is. */
export interface UplinkTopic {
  readonly topic: string;
  readonly dialect: Dialect;
  readonly leaf: UplinkLeaf;
}

/** What meters of version 2 say under `iot/{device}/`, and the canonical leaf it corresponds to. */
const METER2_LEAVES: Readonly<Record<string, UplinkLeaf>> = {
  telemetry: 'telemetry',
  hello: 'heartbeat',
  status: 'status',
  'command/ack': 'commands/ack',
  'ota/status': 'ota/status',
};

/** What meters of version 2 hear under `iot/{device}/`. */
const METER2_DOWNLINKS: Readonly<Record<string, DownlinkLeaf>> = { command: 'commands' };

/** What ingest takes a message for, by the end of its topic. */
export const KIND_OF_LEAF = {
  telemetry: 'telemetry',
  heartbeat: 'heartbeat',
  status: 'status',
  'shadow/reported': 'shadow_reported',
  'commands/ack': 'command_ack',
  'ota/status': 'ota_status',
} as const satisfies Readonly<Record<UplinkLeaf, string>>;

/** The filters under which a broker hands on everything that devices publish, without the dialect whose topics name no tenant. */
export const UPLINK_FILTERS: readonly string[] = [
  ...UPLINK_LEAVES.map((leaf) => `tenant/+/device/+/${leaf}`),
  'v1/telemetry/+/+',
];
/** The same for that dialect, meter version 2. */
export const METER2_FILTERS: readonly string[] = Object.keys(METER2_LEAVES).map((end) => `iot/+/${end}`);

/** Every topic a device may publish to, in the canonical spelling first and then in the dialects. */
export function uplinkTopics(tenant: string, device: string): UplinkTopic[] {
  return [
    ...UPLINK_LEAVES.map((leaf): UplinkTopic => {
      return { topic: buildTopic(tenant, device, leaf), dialect: 'canonical', leaf };
    }),
    ...Object.entries(METER2_LEAVES).map(([end, leaf]): UplinkTopic => {
      return { topic: `iot/${device}/${end}`, dialect: 'meter2', leaf };
    }),
    { topic: `v1/telemetry/${tenant}/${device}`, dialect: 'argus1', leaf: 'telemetry' },
  ];
}

/** The device and the meaning of a topic name; undefined when it is none of ours. */
export function readTopic(topic: string): DeviceTopic | undefined {
  const [root, tenant = '', kind, device = '', ...rest] = topic.split('/');
  const leaf = rest.join('/');
  if (root !== 'tenant' || kind !== 'device') return undefined;
  if (!isTenantSlug(tenant) || !isDeviceKey(device)) return undefined;
  if (!isUplinkLeaf(leaf) && !isDownlinkLeaf(leaf)) return undefined;
  return { tenant, device, leaf };
}

/** Whose an uplink topic is and what a message there is. `tenant` is absent where the dialect's topics do not name it. */
export interface OwnedUplink {
  readonly tenant: TenantSlug | undefined;
  readonly device: DeviceKey;
  readonly dialect: Dialect;
  readonly leaf: UplinkLeaf;
}

/** Reads an uplink topic of any dialect; undefined when it is none. */
export function readUplinkTopic(topic: string): OwnedUplink | undefined {
  const [root, first = '', ...rest] = topic.split('/');
  if (root === 'tenant') {
    const known = readTopic(topic);
    return known && isUplinkLeaf(known.leaf)
      ? { tenant: known.tenant, device: known.device, dialect: 'canonical', leaf: known.leaf }
      : undefined;
  }
  if (root === 'iot') {
    const leaf = METER2_LEAVES[rest.join('/')];
    return leaf && isDeviceKey(first)
      ? { tenant: undefined, device: first, dialect: 'meter2', leaf }
      : undefined;
  }
  const [tenant = '', device = '', ...beyond] = rest;
  if (root !== 'v1' || first !== 'telemetry' || beyond.length > 0) return undefined;
  return isTenantSlug(tenant) && isDeviceKey(device)
    ? { tenant, device, dialect: 'argus1', leaf: 'telemetry' }
    : undefined;
}

/** Whether a text may be used as a topic filter: `+` fills a level, `#` is the last one (MQTT 3.1.1, 4.7.1). */
export function isTopicFilter(filter: string): boolean {
  if (filter.length === 0 || filter.includes('\0')) return false;
  const levels = filter.split('/');
  return levels.every((level, index) => {
    if (level.includes('#')) return level === '#' && index === levels.length - 1;
    return !level.includes('+') || level === '+';
  });
}

/** Whether a topic name falls under a valid filter. `a/#` covers `a` itself too. */
export function matchesFilter(filter: string, topic: string): boolean {
  const wanted = filter.split('/');
  const levels = topic.split('/');
  if ((wanted[0] === '+' || wanted[0] === '#') && topic.startsWith('$')) return false;
  for (const [index, level] of wanted.entries()) {
    if (level === '#') return true;
    if (index >= levels.length) return false;
    if (level !== '+' && level !== levels[index]) return false;
  }
  return wanted.length === levels.length;
}

/** A topic that one device may subscribe to, and how what comes there is spelled. */
export interface DownlinkTopic {
  readonly topic: string;
  readonly dialect: Extract<Dialect, 'canonical' | 'meter2'>;
  readonly leaf: DownlinkLeaf;
}

/** Every topic a device may subscribe to, in the canonical spelling first and then in the dialects. */
export function downlinkTopics(tenant: string, device: string): DownlinkTopic[] {
  return [
    ...DOWNLINK_LEAVES.map((leaf): DownlinkTopic => {
      return { topic: buildTopic(tenant, device, leaf), dialect: 'canonical', leaf };
    }),
    ...Object.entries(METER2_DOWNLINKS).map(([end, leaf]): DownlinkTopic => {
      return { topic: `iot/${device}/${end}`, dialect: 'meter2', leaf };
    }),
  ];
}

/**
 * What a device would hear through a filter: its own downlink topics that the filter covers. Empty when the filter is malformed,
 * reaches outside the device's own trees, or covers nothing that is ever sent down.
 */
export function downlinkTopicsUnder(filter: string, tenant: string, device: string): DownlinkTopic[] {
  const own = filter.startsWith(topicPrefix(tenant, device)) || filter.startsWith(`iot/${device}/`);
  if (!own || !isTopicFilter(filter)) return [];
  return downlinkTopics(tenant, device).filter(({ topic }) => matchesFilter(filter, topic));
}

/** A device's user name, `{tenant}/{device}`; undefined when it has another shape. */
export function readUsername(username: string): { tenant: TenantSlug; device: DeviceKey } | undefined {
  const slash = username.indexOf('/');
  const tenant = username.slice(0, Math.max(slash, 0));
  const device = username.slice(slash + 1);
  return isTenantSlug(tenant) && isDeviceKey(device) ? { tenant, device } : undefined;
}
