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
  readonly result: IngestResult;
}

export interface GrowthSeries {
  readonly grows: 'tenants' | 'devices';
  readonly steps: readonly GrowthStep[];
  /** The dearest message by the first one. */
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
 * what a new device costs is told by itself. Runs all steps on one platform.
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
    const done: GrowthStep[] = [];
    for (const step of steps) {
      const result = await measure(step, 5);
      say(
        `${step.tenants} tenants, ${step.devices} devices: ${platformCpu(result).toFixed(1)} µs a message (${byProcess(result)})`,
      );
      if (result.introduction) say(`  ${describeIntroduction(result.introduction)}`);
      done.push({ ...step, result });
    }
    const costs = done.map(({ result }) => platformCpu(result));
    series.push({ grows, steps: done, ratio: Math.max(...costs) / (costs[0] ?? Number.NaN) });
  }
  return series;
}

/** Flat, and nothing lost on the way. */
export const isFlat = (series: readonly GrowthSeries[]): boolean =>
  series.every(
    ({ ratio, steps }) => ratio <= 1 + FLAT_WITHIN && steps.every(({ result }) => isSound(result)),
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
      cells('tenants', 'devices', 'µs/new one', 'msg/s', 'µs/message', 'by the first', 'lost'),
      ...steps.map(({ tenants, devices, result }) => {
        const [cost, first] = [platformCpu(result), steps[0] ? platformCpu(steps[0].result) : Number.NaN];
        const newcomer = result.introduction ? platformCpu(result.introduction) : Number.NaN;
        const whole = [tenants, devices, newcomer, result.acknowledgedRate].map((value) =>
          Math.round(value).toLocaleString('en-US'),
        );
        return cells(...whole, cost.toFixed(1), (cost / first).toFixed(2), String(result.verdict.lost));
      }),
      `  the dearest is ${ratio.toFixed(2)} of the first; up to ${1 + FLAT_WITHIN} counts as flat`,
    ])
    .join('\n');
}
