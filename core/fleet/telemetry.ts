import { contentId, type MessageId, sequenceId } from './message-id.ts';
import { readTimestamp } from './timestamps.ts';

export type MetricValue = number | boolean | string;

export interface TelemetryReading {
  readonly ts: number;
  readonly id: MessageId;
  readonly metrics: Readonly<Record<string, MetricValue>>;
  readonly lat: number | undefined;
  readonly lng: number | undefined;
  /** The device may have sent it before and gave nothing by which that could be told. */
  readonly dupPossible: boolean;
}

/** Why a message or a reading was not stored. Stable: people filter, alert and replay by them. */
export type QuarantineReason =
  | 'TOO_LARGE'
  | 'BAD_JSON'
  | 'BAD_SHAPE'
  | 'BAD_KEY'
  | 'BAD_VALUE'
  | 'NO_METRICS'
  | 'TOO_MANY_METRICS'
  | 'TOO_MANY_READINGS'
  | 'BAD_TIMESTAMP'
  | 'TOO_OLD'
  | 'IN_FUTURE'
  | 'UNKNOWN_DEVICE'
  | 'DEVICE_DISABLED'
  | 'DEVICE_DECOMMISSIONED'
  | 'TENANT_SUSPENDED'
  | 'NOT_SUPPORTED'
  | 'STORE_REJECTED';

export interface Problem {
  readonly reason: QuarantineReason;
  readonly detail: string;
}

/** One entry of a message: a reading to store, or the reason why it is not one. */
export type TelemetryPart = { readonly reading: TelemetryReading } | { readonly problem: Problem };

export interface TelemetryLimits {
  readonly maxMessageBytes: number;
  readonly maxMetrics: number;
  readonly maxStringLength: number;
  readonly maxReadings: number;
  /** How far ahead of the server a device's clock may be, in milliseconds. */
  readonly maxAheadMs: number;
}

export const DEFAULT_TELEMETRY_LIMITS: TelemetryLimits = {
  maxMessageBytes: 16_384,
  maxMetrics: 100,
  maxStringLength: 512,
  maxReadings: 100,
  maxAheadMs: 24 * 3_600_000,
};

export interface TelemetryContext {
  readonly device: string;
  readonly receivedAt: number;
  readonly dup: boolean;
  /** Readings before this are older than the tenant keeps them. Milliseconds since the epoch. */
  readonly oldestTs: number;
  readonly limits: TelemetryLimits;
}

/** Keys become names of object properties: the one that would change the object itself is no key. */
const METRIC_KEY = /^(?!__proto__$)[A-Za-z_][A-Za-z0-9_.-]{0,127}$/;
const utf8 = new TextDecoder('utf-8', { fatal: true });

/**
 * Reads a canonical or bare payload, or an array of them, into its parts in order. Never throws: whatever is wrong is a
 * part with a problem, and one bad reading of an array does not touch the others.
 */
export function readTelemetry(payload: Uint8Array, context: TelemetryContext): TelemetryPart[] {
  const { limits } = context;
  if (payload.length > limits.maxMessageBytes) {
    return [problem('TOO_LARGE', `${payload.length} bytes, at most ${limits.maxMessageBytes}`)];
  }
  let parsed: unknown;
  try {
    parsed = JSON.parse(utf8.decode(payload));
  } catch (error) {
    return [problem('BAD_JSON', error instanceof SyntaxError ? error.message : 'not UTF-8')];
  }
  if (!Array.isArray(parsed)) return [readOne(parsed, payload, 0, context)];
  if (parsed.length === 0) return [problem('BAD_SHAPE', 'an empty array')];
  if (parsed.length > limits.maxReadings) {
    return [problem('TOO_MANY_READINGS', `${parsed.length} readings, at most ${limits.maxReadings}`)];
  }
  return parsed.map((entry, part) => readOne(entry, payload, part, context));
}

function readOne(
  entry: unknown,
  payload: Uint8Array,
  part: number,
  context: TelemetryContext,
): TelemetryPart {
  if (!isObject(entry)) return problem('BAD_SHAPE', 'a reading is a JSON object');
  // The edge removes it where it stands in plain text; here however it was written.
  delete entry['provision_token'];
  const canonical = isObject(entry['metrics']);
  const metrics: unknown = canonical ? entry['metrics'] : entry;
  if (!isObject(metrics)) return problem('BAD_SHAPE', 'metrics is an object');
  const wrong = metricsProblem(metrics, context.limits);
  if (wrong) return { problem: wrong };
  const envelope: Record<string, unknown> = canonical ? entry : {};

  const version = envelope['version'];
  if (version !== undefined && version !== '1' && version !== 1)
    return problem('BAD_SHAPE', 'version is "1"');
  const ts = envelope['ts'] === undefined ? context.receivedAt : readTimestamp(envelope['ts']);
  if (ts === undefined)
    return problem('BAD_TIMESTAMP', 'ts is ISO-8601, epoch seconds or epoch milliseconds');
  if (ts < context.oldestTs)
    return problem('TOO_OLD', `${new Date(ts).toISOString()} is older than the tenant's retention`);
  if (ts > context.receivedAt + context.limits.maxAheadMs) {
    return problem('IN_FUTURE', `${new Date(ts).toISOString()} is too far ahead of the server`);
  }
  const seq = envelope['seq'];
  if (seq !== undefined && !isCount(seq)) return problem('BAD_VALUE', 'seq is a whole number from 0');
  const boot = envelope['boot'] ?? 0;
  if (!isCount(boot)) return problem('BAD_VALUE', 'boot is a whole number from 0');
  const { lat, lng } = envelope;
  if (!isWithin(lat, 90) || !isWithin(lng, 180))
    return problem('BAD_VALUE', 'lat is within ±90, lng within ±180');

  return {
    reading: {
      ts,
      id: seq === undefined ? contentId(context.device, ts, payload, part) : sequenceId(boot, seq),
      metrics: metrics as Record<string, MetricValue>,
      lat,
      lng,
      dupPossible: context.dup && envelope['ts'] === undefined,
    },
  };
}

function metricsProblem(metrics: Record<string, unknown>, limits: TelemetryLimits): Problem | undefined {
  let count = 0;
  for (const key in metrics) {
    if (++count > limits.maxMetrics)
      return { reason: 'TOO_MANY_METRICS', detail: `at most ${limits.maxMetrics}` };
    if (!METRIC_KEY.test(key)) {
      return {
        reason: 'BAD_KEY',
        detail: `${JSON.stringify(key.slice(0, 64))} is not [A-Za-z_][A-Za-z0-9_.-]{0,127}`,
      };
    }
    const detail = valueProblem(metrics[key], limits);
    if (detail) return { reason: 'BAD_VALUE', detail: `${key}: ${detail}` };
  }
  return count === 0 ? { reason: 'NO_METRICS', detail: 'at least one metric is needed' } : undefined;
}

/** PostgreSQL's text holds neither NUL nor half a surrogate pair; JSON allows both, and numbers beyond a double. */
function valueProblem(value: unknown, limits: TelemetryLimits): string | undefined {
  switch (typeof value) {
    case 'number':
      return Number.isFinite(value) ? undefined : 'not a finite number';
    case 'boolean':
      return undefined;
    case 'string':
      if (value.length > limits.maxStringLength) return `longer than ${limits.maxStringLength} characters`;
      if (value.includes('\u0000')) return 'holds a NUL character';
      return value.isWellFormed() ? undefined : 'holds half a surrogate pair';
    default:
      return 'is a number, a boolean or a string';
  }
}

const problem = (reason: QuarantineReason, detail: string): TelemetryPart => ({
  problem: { reason, detail },
});

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

const isWithin = (value: unknown, bound: number): value is number | undefined =>
  value === undefined || (typeof value === 'number' && Math.abs(value) <= bound);
