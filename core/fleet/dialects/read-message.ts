import { readTelemetry, type TelemetryContext, type TelemetryPart } from '../telemetry.ts';
import { readArgus1 } from './argus1.ts';
import type { Dialect } from './dialect.ts';
import { readMeter2 } from './meter2.ts';

const READERS: Readonly<
  Record<Dialect, (payload: Uint8Array, context: TelemetryContext) => TelemetryPart[]>
> = { canonical: readTelemetry, meter2: readMeter2, argus1: readArgus1 };

/** Reads a telemetry message of any dialect into its parts, in order. Never throws: see `readTelemetry`. */
export function readMessage(
  dialect: Dialect,
  payload: Uint8Array,
  context: TelemetryContext,
): TelemetryPart[] {
  return READERS[dialect](payload, context);
}
