import { buildPattern, type PatternName } from './patterns.ts';
import { createRandom, seedOf } from './signals.ts';

/** What goes wrong on the way, each as a share of the messages unless it says otherwise. */
export interface Faults {
  /** Measured and never sent: a gap in the numbers. */
  readonly drop: number;
  /** Sent twice, as two messages with the same bytes. */
  readonly duplicate: number;
  /** Sent later than its successors. */
  readonly reorder: number;
  /** The clock of every third device is wrong by up to this much, in ms, either way. */
  readonly clockSkewMs: number;
  /** Everybody loses the connection at once, this many times. */
  readonly storms: number;
  /** What is measured within this time after a storm is sent in one burst at its end. */
  readonly silentMs: number;
}

export const NO_FAULTS: Faults = {
  drop: 0,
  duplicate: 0,
  reorder: 0,
  clockSkewMs: 0,
  storms: 0,
  silentMs: 0,
};
export const EVERY_FAULT: Faults = {
  drop: 0.02,
  duplicate: 0.03,
  reorder: 0.05,
  clockSkewMs: 300_000,
  storms: 2,
  silentMs: 500,
};

export interface KnownSetOptions {
  /** The same seed and device give the same set. */
  readonly seed: number;
  /** Samples of each device. */
  readonly samples: number;
  /** Between two samples of a device, in ms. */
  readonly intervalMs: number;
  readonly faults: Faults;
}

/** A sample as its device measured it. */
export interface Sample {
  /** From 1. */
  readonly seq: number;
  /** By the device's clock, in ms since the set began. */
  readonly at: number;
  readonly metrics: Readonly<Record<string, number | boolean>>;
}

/** Everything one device measures, and in which order it sends it. */
export interface DevicePlan {
  readonly key: string;
  readonly samples: readonly Sample[];
  /** `dueMs` since the set began, ascending. */
  readonly sends: readonly { readonly dueMs: number; readonly sample: Sample }[];
  /** Never sent, ascending. */
  readonly dropped: readonly number[];
}

const PATTERNS: readonly PatternName[] = ['sine', 'walk', 'step', 'constant', 'breach'];
/** How many messages later one arrives that is out of order. */
const LATER_BY = 8;

/** When the storms are, in ms since the set began. */
export function stormTimes({ samples, intervalMs, faults }: KnownSetOptions): number[] {
  const length = samples * intervalMs;
  return Array.from({ length: faults.storms }, (_, index) => (length * (index + 1)) / (faults.storms + 1));
}

/** What a device will measure and send. Pure. */
export function planDevice(key: string, index: number, options: KnownSetOptions): DevicePlan {
  const { faults, intervalMs } = options;
  const random = createRandom(seedOf(key) ^ options.seed);
  const pattern = Object.entries(
    buildPattern(PATTERNS[index % PATTERNS.length] ?? 'sine', `${key}/${options.seed}`),
  );
  const skew = index % 3 === 2 ? Math.round(faults.clockSkewMs * (2 * random() - 1)) : 0;
  const storms = stormTimes(options);
  const samples: Sample[] = [];
  const sends: { dueMs: number; order: number; sample: Sample }[] = [];
  const dropped: number[] = [];

  for (let seq = 1; seq <= options.samples; seq++) {
    const measuredAt = (seq - 1) * intervalMs;
    const metrics = Object.fromEntries(pattern.map(([name, signal]) => [name, signal(measuredAt)]));
    const sample = { seq, at: measuredAt + skew, metrics: { ...metrics, n: seq } };
    samples.push(sample);
    if (random() < faults.drop) {
      dropped.push(seq);
      continue;
    }
    const storm = storms.find((at) => measuredAt >= at && measuredAt < at + faults.silentMs);
    const late = random() < faults.reorder ? LATER_BY : 0;
    const dueMs = Math.max(measuredAt + late * intervalMs, storm === undefined ? 0 : storm + faults.silentMs);
    sends.push({ dueMs, order: seq + late, sample });
    if (random() < faults.duplicate) sends.push({ dueMs, order: seq + late, sample });
  }
  sends.sort((a, b) => a.dueMs - b.dueMs || a.order - b.order);
  return { key, samples, sends: sends.map(({ dueMs, sample }) => ({ dueMs, sample })), dropped };
}
