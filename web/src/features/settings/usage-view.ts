import type { TenantUsageQuery } from '../../generated/graphql.ts';

export type TenantUsage = TenantUsageQuery['viewer']['tenant']['usage'];
export type Limits = TenantUsage['limits'];

export type LimitName = Exclude<keyof Limits, '__typename' | 'own' | 'burstSeconds'>;

/** One kind of limit, of all devices together and of each. */
export type LimitRow = {
  readonly label: string;
  readonly tenant: LimitName;
  readonly device: LimitName;
  readonly format: (perSecond: number) => string;
};

const counts = new Intl.NumberFormat();
const compact = new Intl.NumberFormat(undefined, { notation: 'compact', maximumFractionDigits: 1 });
const scales = ['B', 'KiB', 'MiB', 'GiB', 'TiB'] as const;

/** "1,234" in full, from a million on "12.3M". */
export const formatMessages = (count: number): string =>
  count >= 1_000_000 ? compact.format(count) : counts.format(count);

/** "512 B", "1.5 MiB". */
export function formatBytes(bytes: number): string {
  const step = bytes < 1 ? 0 : Math.min(scales.length - 1, Math.floor(Math.log(bytes) / Math.log(1_024)));
  const value = bytes / 1_024 ** step;
  return `${value.toLocaleString(undefined, { maximumFractionDigits: value < 10 ? 1 : 0 })} ${scales[step]}`;
}

export const limitRows: readonly LimitRow[] = [
  {
    label: 'Messages a second',
    tenant: 'messagesPerSecond',
    device: 'deviceMessagesPerSecond',
    format: (rate) => counts.format(rate),
  },
  {
    label: 'Payload a second',
    tenant: 'bytesPerSecond',
    device: 'deviceBytesPerSecond',
    format: formatBytes,
  },
  {
    label: 'Connects a second',
    tenant: 'connectsPerSecond',
    device: 'deviceConnectsPerSecond',
    format: (rate) => counts.format(rate),
  },
];

/** The busiest whole minute and how much of the tenant's limit it was, 0 to 1 and beyond; the present minute is left out. */
export function busiestMinute({ minutes, limits }: Pick<TenantUsage, 'minutes' | 'limits'>): {
  readonly messagesPerSecond: number;
  readonly share: number;
} {
  const whole = minutes.slice(0, -1);
  const messagesPerSecond = Math.max(0, ...whole.map(({ messages }) => messages)) / 60;
  const bytesPerSecond = Math.max(0, ...whole.map(({ bytes }) => bytes)) / 60;
  const share = Math.max(
    messagesPerSecond / limits.messagesPerSecond,
    bytesPerSecond / limits.bytesPerSecond,
  );
  return { messagesPerSecond, share };
}

/** "3 %", and for what is more than nothing at least "< 1 %". */
export function formatShare(share: number): string {
  if (share > 0 && share < 0.01) return '< 1 %';
  return `${Math.round(share * 100)} %`;
}
