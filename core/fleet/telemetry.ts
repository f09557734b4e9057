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
  /** The device numbered it and gave no time, so that only the number tells a resend. */
  readonly timeless: boolean;
  /** Where in the payload its metrics are: empty, or ends where a key can follow. */
  readonly metricsPath: string;
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
  | 'WRONG_DEVICE'
  | 'DEVICE_DISABLED'
  | 'DEVICE_DECOMMISSIONED'
  | 'TENANT_SUSPENDED'
  | 'UNKNOWN_COMMAND'
  | 'NOT_SUPPORTED'
  | 'UNKNOWN_METRIC'
  | 'WRONG_TYPE'
  | 'OUT_OF_RANGE'
  | 'NOT_IN_ENUM'
  | 'METRIC_CLASH'
  | 'STORE_REJECTED';

export interface Problem {
  readonly reason: QuarantineReason;
  readonly detail: string;
  /** Where in the payload, such as `metrics.temperature` or `[3].ts`; absent when it is the whole of it. */
  readonly field?: string;
}

/** One entry of a message: a reading to store, or the reason why it is not one. */
export type TelemetryPart = { readonly reading: TelemetryReading } | { readonly problem: Problem };

export interface TelemetryLimits {
  readonly maxMessageBytes: number;
  readonly maxMetrics: number;
  readonly maxStringLength: number;
  readonly maxReadings: number;
  /** In one message of dialect meter2. */
  readonly maxMeasurements: number;
  /** How far ahead of the server a device's clock may be, in milliseconds. */
  readonly maxAheadMs: number;
}

export const DEFAULT_TELEMETRY_LIMITS: TelemetryLimits = {
  maxMessageBytes: 16_384,
  maxMetrics: 100,
  maxStringLength: 512,
  maxReadings: 100,
  maxMeasurements: 200,
  maxAheadMs: 24 * 3_600_000,
};

export interface TelemetryContext {
  readonly device: string;
  readonly receivedAt: number;
  readonly dup: boolean;
  /** Hash of the idempotency key that came with the message. */
  readonly keyHash?: Uint8Array | undefined;
  /** Readings before this are older than the tenant keeps them. Milliseconds since the epoch. */
  readonly oldestTs: number;
  readonly limits: TelemetryLimits;
}

/** Keys become names of object properties: the one that would change the object itself is no key. */
const METRIC_KEY = /^(?!__proto__$)[A-Za-z_][A-Za-z0-9_.-]{0,127}$/;
/** Keys that were found good: a fleet sends the same ones over and over. */
const goodKeys = new Set<string>();
const MAX_GOOD_KEYS = 10_000;

/** Whether a metric may be called so. */
export function isMetricKey(text: string): boolean {
  if (goodKeys.has(text)) return true;
  if (!METRIC_KEY.test(text)) return false;
  if (goodKeys.size >= MAX_GOOD_KEYS) goodKeys.clear();
  goodKeys.add(text);
  return true;
}

const utf8 = new TextDecoder('utf-8', { fatal: true });

/**
 * Reads a canonical or bare payload, or an array of them, into its parts in order. Never throws: whatever is wrong is a
 * part with a problem, and one bad reading of an array does not touch the others.
 */
export function readTelemetry(payload: Uint8Array, context: TelemetryContext): TelemetryPart[] {
  const { limits } = context;
  const parsed = parsePayload(payload, limits);
  if ('problem' in parsed) return [parsed];
  const { value } = parsed;
  if (!Array.isArray(value)) return [readOne(value, '', payload, 0, context)];
  if (value.length === 0) return [problemPart('BAD_SHAPE', 'an empty array')];
  if (value.length > limits.maxReadings) {
    return [problemPart('TOO_MANY_READINGS', `${value.length} readings, at most ${limits.maxReadings}`)];
  }
  return value.map((entry, part) => readOne(entry, `[${part}]`, payload, part, context));
}

/** The JSON value of a payload, or why it has none. */
export function parsePayload(
  payload: Uint8Array,
  limits: Pick<TelemetryLimits, 'maxMessageBytes'>,
): { readonly value: unknown } | { readonly problem: Problem } {
  if (payload.length > limits.maxMessageBytes) {
    return problemPart('TOO_LARGE', `${payload.length} bytes, at most ${limits.maxMessageBytes}`);
  }
  try {
    return { value: JSON.parse(utf8.decode(payload)) as unknown };
  } catch (error) {
    return problemPart('BAD_JSON', error instanceof SyntaxError ? error.message : 'not UTF-8');
  }
}

function readOne(
  entry: unknown,
  path: string,
  payload: Uint8Array,
  part: number,
  context: TelemetryContext,
): TelemetryPart {
  if (!isObject(entry)) return problemPart('BAD_SHAPE', 'a reading is a JSON object', path);
  // The edge removes it where it stands in plain text; here however it was written.
  if ('provision_token' in entry) delete entry['provision_token'];
  const { metrics } = entry;
  const inner = path === '' ? '' : `${path}.`;
  if (!isObject(metrics)) {
    return readReading(
      { envelope: {}, metrics: entry, path: inner, metricsPath: inner },
      payload,
      part,
      context,
    );
  }
  const { version } = entry;
  if (version !== undefined && version !== '1' && version !== 1)
    return problemPart('BAD_SHAPE', 'version is "1"', `${inner}version`);
  const source = { envelope: entry, metrics, path: inner, metricsPath: `${inner}metrics.` };
  return readReading(source, payload, part, context);
}

/** What a dialect found in a payload: nothing of it is checked yet. Paths are empty or end where a key can follow. */
export interface ReadingSource {
  readonly envelope: Readonly<Record<string, unknown>>;
  readonly metrics: Readonly<Record<string, unknown>>;
  readonly path: string;
  readonly metricsPath: string;
}

/** Checks a reading, whatever dialect it came in: `ts`, `seq`, `boot`, `lat`, `lng` of the envelope, and the metrics. */
export function readReading(
  source: ReadingSource,
  payload: Uint8Array,
  part: number,
  context: TelemetryContext,
): TelemetryPart {
  const { envelope, metrics, path } = source;
  const wrong = metricsProblem(metrics, source.metricsPath, context.limits);
  if (wrong) return { problem: wrong };
  const ts = envelope['ts'] === undefined ? context.receivedAt : readTimestamp(envelope['ts']);
  if (ts === undefined) {
    return problemPart('BAD_TIMESTAMP', 'ts is ISO-8601, epoch seconds or epoch milliseconds', `${path}ts`);
  }
  if (ts < context.oldestTs) {
    const detail = `${new Date(ts).toISOString()} is older than the tenant's retention`;
    return problemPart('TOO_OLD', detail, `${path}ts`);
  }
  if (ts > context.receivedAt + context.limits.maxAheadMs) {
    const detail = `${new Date(ts).toISOString()} is too far ahead of the server`;
    return problemPart('IN_FUTURE', detail, `${path}ts`);
  }
  const seq = envelope['seq'];
  if (seq !== undefined && !isCount(seq))
    return problemPart('BAD_VALUE', 'seq is a whole number from 0', `${path}seq`);
  const boot = envelope['boot'] ?? 0;
  if (!isCount(boot)) return problemPart('BAD_VALUE', 'boot is a whole number from 0', `${path}boot`);
  const { lat, lng } = envelope;
  if (!isWithin(lat, 90)) return problemPart('BAD_VALUE', 'lat is within ±90', `${path}lat`);
  if (!isWithin(lng, 180)) return problemPart('BAD_VALUE', 'lng is within ±180', `${path}lng`);

  return {
    reading: {
      ts,
      id: readingId({ boot, seq }, ts, payload, part, context),
      metrics: metrics as Record<string, MetricValue>,
      metricsPath: source.metricsPath,
      lat,
      lng,
      timeless: envelope['ts'] === undefined && seq !== undefined,
      dupPossible: context.dup && envelope['ts'] === undefined && seq === undefined,
    },
  };
}

/** By what a reading is told from every other of its device: its number, or else its message's idempotency key, or else its content. */
export function readingId(
  { boot, seq }: { readonly boot: number; readonly seq: number | undefined },
  ts: number,
  payload: Uint8Array,
  part: number,
  { device, keyHash }: Pick<TelemetryContext, 'device' | 'keyHash'>,
): MessageId {
  if (seq !== undefined) return sequenceId(boot, seq);
  return keyHash ? contentId(device, 0, keyHash, part) : contentId(device, ts, payload, part);
}

function metricsProblem(
  metrics: Readonly<Record<string, unknown>>,
  path: string,
  limits: TelemetryLimits,
): Problem | undefined {
  let count = 0;
  for (const key in metrics) {
    if (++count > limits.maxMetrics)
      return { reason: 'TOO_MANY_METRICS', detail: `at most ${limits.maxMetrics}` };
    const wrong = metricProblem(key, metrics[key], limits);
    if (wrong) return { ...wrong, field: `${path}${key.slice(0, 64)}` };
  }
  return count === 0 ? { reason: 'NO_METRICS', detail: 'at least one metric is needed' } : undefined;
}

/** What is wrong with a metric's key or value. */
export function metricProblem(key: string, value: unknown, limits: TelemetryLimits): Problem | undefined {
  if (!isMetricKey(key)) {
    const detail = `${JSON.stringify(key.slice(0, 64))} is not [A-Za-z_][A-Za-z0-9_.-]{0,127}`;
    return { reason: 'BAD_KEY', detail };
  }
  const detail = valueProblem(value, limits);
  return detail ? { reason: 'BAD_VALUE', detail: `${key}: ${detail}` } : undefined;
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

/** A part that is not a reading. An empty `field` is none. */
export const problemPart = (
  reason: QuarantineReason,
  detail: string,
  field = '',
): { readonly problem: Problem } => ({
  problem: { reason, detail, ...(field !== '' && { field }) },
});

export const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

const isWithin = (value: unknown, bound: number): value is number | undefined =>
  value === undefined || (typeof value === 'number' && Math.abs(value) <= bound);
