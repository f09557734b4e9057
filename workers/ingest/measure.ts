import type { FrameItem } from '#core/bus/messages.ts';
import { metricsJson, shapeOf } from '#core/bus/telemetry-shapes.ts';
import type { ReadingRow } from '#core/db/readings.ts';
import { measurementField } from '#core/fleet/dialects/meter2.ts';
import type { JsonTexts } from '#core/fleet/json-text.ts';
import { applyProfile, type Profile } from '#core/fleet/measuring.ts';
import type { MetricValue, Problem, TelemetryReading } from '#core/fleet/telemetry.ts';

/** What is stored of a reading's values. */
export interface Measured extends Pick<ReadingRow, 'metrics' | 'flagsJson' | 'sentJson'> {
  /** The names of its metrics, joined by commas. */
  readonly shape: string;
  /** Metrics that nobody has modelled and that become sensors, with their values. */
  readonly unmodelled?: ReadonlyMap<string, MetricValue> | undefined;
}

/** The values of a reading as its device's profile has them, among the other texts of its batch, or why they are not stored. */
export function measure(
  reading: TelemetryReading,
  item: FrameItem,
  profile: Profile | undefined,
  texts: JsonTexts,
): Measured | { readonly problem: Problem } {
  if (!profile) return { shape: shapeOf(reading.metrics), metrics: texts.add(metricsJson(reading.metrics)) };
  const applied = applyProfile(profile, reading.metrics);
  if ('problem' in applied) {
    const { raw, ...problem } = applied.problem;
    return { problem: { ...problem, field: fieldOf(reading, item, raw) } };
  }
  const { metrics, flags, unknown } = applied;
  return {
    shape: shapeOf(metrics),
    metrics: texts.add(metricsJson(metrics)),
    flagsJson: flags && JSON.stringify(flags),
    sentJson: reading.timeless && profile.maps ? JSON.stringify(reading.metrics) : undefined,
    unmodelled: unknown && new Map(unknown.map((metric) => [metric, metrics[metric] ?? ''])),
  };
}

/** Where in the payload a metric is, so that a fix can take it out. */
function fieldOf(reading: TelemetryReading, item: FrameItem, raw: string): string {
  if (item.dialect === 'meter2') return measurementField(item.payload, item.receivedAt, reading.ts, raw);
  return `${reading.metricsPath}${raw.slice(0, 64)}`;
}
