import {
  isObject,
  metricProblem,
  type Problem,
  parsePayload,
  problemPart,
  readReading,
  type TelemetryContext,
  type TelemetryPart,
} from '../telemetry.ts';
import { readTimestamp } from '../timestamps.ts';

/** The measurements of one time. */
interface Group {
  readonly ts: unknown;
  readonly metrics: Record<string, unknown>;
  wrong: TelemetryPart | undefined;
}

/**
 * Reads `{"v":2,"device_id","ts","seq","measurements":[{"ts","type","val","unit"}]}` into one part a distinct `ts`, in the order
 * in which the times first appear. A measurement without `ts` has the envelope's; all share the envelope's `seq`; `unit` is
 * not kept. A wrong measurement spoils the reading of its time and no other. Never throws.
 */
export function readMeter2(payload: Uint8Array, context: TelemetryContext): TelemetryPart[] {
  const { limits } = context;
  const parsed = parsePayload(payload, limits);
  if ('problem' in parsed) return [parsed];
  const { value } = parsed;
  if (!isObject(value)) return [problemPart('BAD_SHAPE', 'a message is a JSON object')];
  if (value['v'] !== 2) return [problemPart('BAD_SHAPE', 'v is 2', 'v')];
  const foreign = foreignDevice(value, context.device);
  if (foreign) return [foreign];
  const { measurements } = value;
  if (!Array.isArray(measurements))
    return [problemPart('BAD_SHAPE', 'measurements is an array', 'measurements')];
  if (measurements.length === 0)
    return [problemPart('NO_METRICS', 'at least one measurement is needed', 'measurements')];
  if (measurements.length > limits.maxMeasurements) {
    const detail = `${measurements.length} measurements, at most ${limits.maxMeasurements}`;
    return [problemPart('TOO_MANY_READINGS', detail, 'measurements')];
  }
  const groups = new Map<unknown, Group>();
  for (const [index, measurement] of (measurements as unknown[]).entries()) {
    const path = `measurements[${index}]`;
    if (isObject(measurement)) addMeasurement(groups, measurement, path, value['ts'], context);
    else groups.set(path, loneProblem(problemPart('BAD_SHAPE', 'a measurement is an object', path)));
  }
  return [...groups.values()].map((group, part) => {
    if (group.wrong) return group.wrong;
    const envelope = { ...value, ts: group.ts };
    const source = { envelope, metrics: group.metrics, path: '', metricsPath: 'measurements.' };
    return readReading(source, payload, part, context);
  });
}

/** A part that says so when a meter's message names another device than the one that sent it, or, if `needed`, none. */
export function foreignDevice(
  message: Readonly<Record<string, unknown>>,
  device: string,
  needed = true,
): { readonly problem: Problem } | undefined {
  const said = message['device_id'];
  if (said === device || (said === undefined && !needed)) return undefined;
  return problemPart('WRONG_DEVICE', 'device_id is the device that sends the message', 'device_id');
}

function addMeasurement(
  groups: Map<unknown, Group>,
  measurement: Readonly<Record<string, unknown>>,
  path: string,
  envelopeTs: unknown,
  context: TelemetryContext,
): void {
  const own = measurement['ts'];
  const ts = own === undefined ? envelopeTs : own;
  const at = ts === undefined ? context.receivedAt : readTimestamp(ts);
  if (at === undefined) {
    const field = own === undefined ? 'ts' : `${path}.ts`;
    const detail = 'ts is ISO-8601, epoch seconds or epoch milliseconds';
    groups.set(path, loneProblem(problemPart('BAD_TIMESTAMP', detail, field)));
    return;
  }
  const known = groups.get(at);
  const group: Group = known ?? { ts, metrics: {}, wrong: undefined };
  if (!known) groups.set(at, group);
  const { type, val } = measurement;
  if (typeof type !== 'string') {
    group.wrong ??= problemPart('BAD_KEY', 'type is a text', `${path}.type`);
    return;
  }
  const wrong = metricProblem(type, val, context.limits);
  if (wrong) {
    const field = `${path}.${wrong.reason === 'BAD_KEY' ? 'type' : 'val'}`;
    group.wrong ??= problemPart(wrong.reason, wrong.detail, field);
  } else if (Object.hasOwn(group.metrics, type)) {
    group.wrong ??= problemPart('BAD_VALUE', `${type} is measured twice at one time`, `${path}.type`);
  } else group.metrics[type] = val;
}

const loneProblem = (wrong: TelemetryPart): Group => ({ ts: undefined, metrics: {}, wrong });

/** The measurement of a message that gave a metric its value at `ts`, as a path that a fix can take out. */
export function measurementField(payload: Uint8Array, receivedAt: number, ts: number, type: string): string {
  const parsed = parsePayload(payload, { maxMessageBytes: payload.length });
  const value = 'value' in parsed && isObject(parsed.value) ? parsed.value : {};
  const measurements: readonly unknown[] = Array.isArray(value['measurements']) ? value['measurements'] : [];
  const index = measurements.findIndex((measurement) => {
    if (!isObject(measurement) || measurement['type'] !== type) return false;
    const said = measurement['ts'] === undefined ? value['ts'] : measurement['ts'];
    return (said === undefined ? receivedAt : readTimestamp(said)) === ts;
  });
  return index < 0 ? 'measurements' : `measurements[${index}]`;
}
