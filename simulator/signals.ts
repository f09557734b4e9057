/** A value that changes over time. `at` is milliseconds since the epoch; calls come in order of time. */
export type Signal = (at: number) => number | boolean;

/** Numbers from 0 to 1 that look random and are the same for the same seed (mulberry32). */
export function createRandom(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A seed from a device's key, so that two devices differ and one stays itself. */
export function seedOf(text: string): number {
  let hash = 0;
  for (let index = 0; index < text.length; index++) hash = (Math.imul(hash, 31) + text.charCodeAt(index)) | 0;
  return hash;
}

const rounded = (value: number, digits: number): number => Number(value.toFixed(digits));

export interface Wave {
  readonly mean: number;
  readonly amplitude: number;
  readonly periodSeconds: number;
  /** How far a sample may lie beside the wave. */
  readonly noise: number;
  readonly digits: number;
}

/** Goes up and down around a mean. */
export function sine(random: () => number, wave: Wave): Signal {
  const phase = random() * 2 * Math.PI;
  return (at) => {
    const turn = (2 * Math.PI * at) / (wave.periodSeconds * 1000) + phase;
    return rounded(
      wave.mean + wave.amplitude * Math.sin(turn) + wave.noise * (2 * random() - 1),
      wave.digits,
    );
  };
}

export interface Walk {
  readonly from: number;
  readonly to: number;
  /** The most it moves between two samples. */
  readonly stride: number;
  readonly digits: number;
}

/** Wanders between two bounds. */
export function walk(random: () => number, { from, to, stride, digits }: Walk): Signal {
  let value = from + (to - from) * random();
  return () => {
    value = Math.min(to, Math.max(from, value + stride * (2 * random() - 1)));
    return rounded(value, digits);
  };
}

/** Holds one of some levels for a while, then takes another. `holdSeconds` is the mean. */
export function step<Level extends number | boolean>(
  random: () => number,
  levels: readonly [Level, ...Level[]],
  holdSeconds: number,
): Signal {
  let level: Level = levels[0];
  let until = 0;
  return (at) => {
    if (at >= until) {
      level = levels[Math.floor(random() * levels.length)] ?? levels[0];
      until = at + holdSeconds * 1000 * (0.5 + random());
    }
    return level;
  };
}

export interface Breach {
  readonly normal: number;
  readonly limit: number;
  /** How long it is beyond the limit, and how often. */
  readonly forSeconds: number;
  readonly everySeconds: number;
}

/** Keeps below a limit and goes beyond it at regular times. */
export function breach(random: () => number, { normal, limit, forSeconds, everySeconds }: Breach): Signal {
  const phase = random() * everySeconds * 1000;
  return (at) => {
    const beyond = (at + phase) % (everySeconds * 1000) < forSeconds * 1000;
    const base = beyond ? limit + (limit - normal) * 0.2 : normal;
    return rounded(base + (limit - normal) * 0.1 * random(), 3);
  };
}

/** Stays what it is. */
export function constant(value: number | boolean): Signal {
  return () => value;
}

/** Falls by a little with every hour and starts anew from the top. */
export function draining(random: () => number, hours: number): Signal {
  const offset = random() * hours;
  return (at) => rounded(100 - 80 * (((at / 3_600_000 + offset) % hours) / hours), 1);
}
