import { freshnessAt, STALE_INTERVALS } from './presence.ts';

/** The latest values follow the stream about a second behind; what they do not show by then was most likely not sent. */
export const LATEST_LAG_MS = 3_000;
/** How far the latest values may be behind under load without a metric counting as missing that is on its way. */
export const SIGN_LAG_MS = 30_000;

/** What is known of the metrics that a device must send. Times are milliseconds since the epoch. */
export interface RequiredMetrics {
  readonly required: readonly string[];
  /** When each was last heard; no entry when never. */
  readonly heardAt: ReadonlyMap<string, number>;
  /** When any metric of the device was last heard, required or not, as far as `heardAt` knows. */
  readonly dataAt: number | undefined;
  /** From when on they are expected. */
  readonly since: number;
  /** When anything was last heard of the device, be it a sign of life. */
  readonly lastSeenAt: number | null;
  readonly intervalSeconds: number;
}

export interface MetricsJudgement {
  /** In the order of their keys. */
  readonly missing: readonly string[];
  /** When another one can be missing, should it not be heard; null: not before the device is heard of again. */
  readonly dueAt: number | null;
}

/** How long a metric may be unheard before it is missing: as long as a device before it is stale. */
export const metricWindowMs = (intervalSeconds: number): number => STALE_INTERVALS * intervalSeconds * 1_000;

/**
 * The metrics that have not come although their device has: one is missing that was last heard longer than its window before other
 * metrics of the device, or before a sign of life and SIGN_LAG_MS. A device that has fallen silent with all of its metrics misses
 * none of them.
 */
export function judgeMetrics(device: RequiredMetrics, now: number): MetricsJudgement {
  const { required, lastSeenAt, intervalSeconds } = device;
  if (lastSeenAt === null || required.length === 0) return { missing: [], dueAt: null };
  const windowMs = metricWindowMs(intervalSeconds);
  const spokeAt = Math.max(device.dataAt ?? 0, lastSeenAt - SIGN_LAG_MS);
  const heard = required.map((metric) => ({
    metric,
    at: Math.max(device.heardAt.get(metric) ?? 0, device.since),
  }));
  const isMissing = ({ at }: { readonly at: number }) => spokeAt - at > windowMs;
  const missing = heard
    .filter(isMissing)
    .map(({ metric }) => metric)
    .sort();
  const oldest = Math.min(...heard.filter((each) => !isMissing(each)).map(({ at }) => at));
  if (!Number.isFinite(oldest) || freshnessAt(now, lastSeenAt, intervalSeconds) !== 'FRESH')
    return { missing, dueAt: null };
  return { missing, dueAt: Math.max(oldest + windowMs + 1, now + Math.max(1_000, intervalSeconds * 500)) };
}

/** When the metrics of a device are next to be looked at, and from when on they are expected; null leaves either as it is. */
export interface MetricsWatch {
  readonly dueAt: number | null;
  readonly since: number | null;
}

/**
 * What traffic means for the metrics of a device that was not fresh: they are expected anew from then on, or, if some were missing, may
 * have come.
 */
export function watchMetrics(
  heardAt: number,
  missing: readonly string[],
  intervalSeconds: number,
): MetricsWatch {
  if (missing.length > 0) return { dueAt: heardAt + LATEST_LAG_MS, since: null };
  return { dueAt: heardAt + metricWindowMs(intervalSeconds) + 1, since: heardAt };
}
