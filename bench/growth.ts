import { benchIngest, type IngestResult, isSound } from './ingest.ts';
import type { Introduction } from './introduction.ts';
import type { BenchPlatform } from './platform.ts';
import { platformCpu } from './print.ts';

export interface GrowthBench {
  /** Messages a second. */
  readonly rate: number;
  readonly seconds: number;
  readonly connections: number;
}

interface GrowthStep {
  readonly tenants: number;
  readonly devices: number;
  /** Of the way there and of the way back. */
  readonly results: readonly IngestResult[];
}

export interface GrowthSeries {
  readonly grows: 'tenants' | 'devices';
  readonly steps: readonly GrowthStep[];
  /** The dearest message by the first one, both by what sending it cost. */
  readonly ratio: number;
}

/** What a message may cost more or less than where there is little of everything. */
export const FLAT_WITHIN = 0.2;

/** Devices are expected about as often as they have a turn, so that none of them falls silent while others are measured. */
const INTERVAL_SECONDS = 600;

const SERIES = [
  { grows: 'tenants', steps: [1, 10, 100, 1_000].map((tenants) => ({ tenants, devices: 1_000 })) },
  { grows: 'devices', steps: [1_000, 10_000, 100_000].map((devices) => ({ tenants: 10, devices })) },
] as const;

/**
 * What a message costs while there are more and more tenants, then more and more devices. Devices take turns on the same number of
 * connections in every step, so that coming and going costs the same everywhere, and the platform has heard of each before it is measured:
 * what a new device costs is told by itself. Each series is gone up and down again, and what a message costs is divided by what sending
 * it cost at the same time, so that a machine that is slower for a while makes no step look dearer than another. Runs all steps on
 * one platform.
 */
export async function benchGrowth(
  platform: BenchPlatform,
  { rate, seconds, connections }: GrowthBench,
  say: (line: string) => void,
): Promise<GrowthSeries[]> {
  const measure = ({ tenants, devices }: { tenants: number; devices: number }, warmUpSeconds: number) =>
    benchIngest(
      platform,
      {
        ...{ rate, seconds, warmUpSeconds, connections, devices, tenants },
        ...{ turns: true, introduce: true, intervalSeconds: INTERVAL_SECONDS, subscribers: 20 },
      },
      () => undefined,
    );
  say('warming up');
  await measure(SERIES[0].steps[0] ?? { tenants: 1, devices: connections }, 10);
  const series: GrowthSeries[] = [];
  for (const { grows, steps } of SERIES) {
    const done = steps.map((step) => ({ ...step, results: [] as IngestResult[] }));
    for (const step of [...done, ...done.toReversed()]) {
      const result = await measure(step, 5);
      say(
        `${step.tenants} tenants, ${step.devices} devices: ${platformCpu(result).toFixed(1)} µs a message (${byProcess(result)}), ${result.sendingCpu.toFixed(1)} µs to send it`,
      );
      if (result.introduction) say(`  ${describeIntroduction(result.introduction)}`);
      step.results.push(result);
    }
    const costs = done.map(relativeCostOf);
    series.push({ grows, steps: done, ratio: Math.max(...costs) / (costs[0] ?? Number.NaN) });
  }
  return series;
}

const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

/** What the platform spends on a message by what its sender does. */
const relativeCostOf = ({ results }: GrowthStep): number =>
  mean(results.map((result) => platformCpu(result) / result.sendingCpu));

/** Flat, and nothing lost on the way. */
export const isFlat = (series: readonly GrowthSeries[]): boolean =>
  series.every(
    ({ ratio, steps }) => ratio <= 1 + FLAT_WITHIN && steps.every(({ results }) => results.every(isSound)),
  );

const byProcess = ({ cpu }: { readonly cpu: ReadonlyMap<string, number> }): string =>
  [...cpu].map(([name, cost]) => `${name} ${cost.toFixed(1)}`).join(', ');

const describeIntroduction = (introduction: Introduction): string =>
  `heard of ${introduction.devices.toLocaleString('en-US')} devices in ${introduction.seconds.toFixed(1)} s: ${platformCpu(introduction).toFixed(0)} µs a new device (${byProcess(introduction)})`;

/** A table for people. */
export function describeGrowth(series: readonly GrowthSeries[]): string {
  const cells = (...texts: readonly string[]) => texts.map((text) => text.padStart(13)).join('');
  return series
    .flatMap(({ grows, steps, ratio }) => [
      `growth in ${grows}`,
      cells('tenants', 'devices', 'µs/new one', 'msg/s', 'µs/message', 'µs to send', 'by the first', 'lost'),
      ...steps.map((step) => {
        const first = steps[0] ? relativeCostOf(steps[0]) : Number.NaN;
        const newcomers = step.results.flatMap(({ introduction }) => introduction ?? []).map(platformCpu);
        const rates = step.results.map((result) => result.acknowledgedRate);
        const lost = step.results.reduce((sum, { verdict }) => sum + verdict.lost, 0);
        const whole = [step.tenants, step.devices, mean(newcomers), mean(rates)].map((value) =>
          Math.round(value).toLocaleString('en-US'),
        );
        const cost = mean(step.results.map(platformCpu)).toFixed(1);
        const sending = mean(step.results.map(({ sendingCpu }) => sendingCpu)).toFixed(1);
        return cells(...whole, cost, sending, (relativeCostOf(step) / first).toFixed(2), String(lost));
      }),
      `  the dearest is ${ratio.toFixed(2)} of the first; up to ${1 + FLAT_WITHIN} counts as flat`,
    ])
    .join('\n');
}
