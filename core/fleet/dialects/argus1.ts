import {
  isObject,
  parsePayload,
  problemPart,
  readReading,
  type TelemetryContext,
  type TelemetryPart,
} from '../telemetry.ts';

/** Reads `{"ts": <epoch s or ms>, "metrics": {…}}` into its one part. Never throws. */
export function readArgus1(payload: Uint8Array, context: TelemetryContext): TelemetryPart[] {
  const parsed = parsePayload(payload, context.limits);
  if ('problem' in parsed) return [parsed];
  const { value } = parsed;
  if (!isObject(value)) return [problemPart('BAD_SHAPE', 'a message is a JSON object')];
  const { metrics } = value;
  if (!isObject(metrics)) return [problemPart('BAD_SHAPE', 'metrics is an object', 'metrics')];
  return [readReading({ envelope: value, metrics, path: '', metricsPath: 'metrics.' }, payload, 0, context)];
}
