import {
  breach,
  constant,
  createRandom,
  draining,
  type Signal,
  seedOf,
  sine,
  step,
  walk,
} from './signals.ts';

/** The metrics of one pretend device and how each moves. */
export type Pattern = Readonly<Record<string, Signal>>;

type Random = () => number;

const PATTERNS = {
  loco: (random: Random): Pattern => ({
    voltage_dc: sine(random, { mean: 750, amplitude: 18, periodSeconds: 240, noise: 4, digits: 1 }),
    current_dc: step(random, [0, 120, 260, 410], 25),
    speed: walk(random, { from: 0, to: 90, stride: 4, digits: 1 }),
    temperature: walk(random, { from: 35, to: 85, stride: 0.6, digits: 1 }),
    battery: draining(random, 48),
    door: step(random, [false, false, false, true], 40),
  }),
  reefer: (random: Random): Pattern => ({
    temperature: sine(random, { mean: -18, amplitude: 1.4, periodSeconds: 600, noise: 0.2, digits: 2 }),
    setpoint: constant(-18),
    humidity: walk(random, { from: 40, to: 75, stride: 0.8, digits: 1 }),
    compressor: step(random, [true, false], 90),
    battery: draining(random, 72),
    door: step(random, [false, false, false, false, true], 60),
  }),
  meter: (random: Random): Pattern => ({
    voltage_ac: sine(random, { mean: 230, amplitude: 3, periodSeconds: 300, noise: 0.8, digits: 2 }),
    current_ac: walk(random, { from: 2, to: 48, stride: 1.5, digits: 2 }),
    frequency: walk(random, { from: 49.95, to: 50.05, stride: 0.01, digits: 3 }),
    power_factor: walk(random, { from: 0.82, to: 0.99, stride: 0.01, digits: 3 }),
    temperature: walk(random, { from: 18, to: 42, stride: 0.3, digits: 1 }),
  }),
  sine: (random: Random): Pattern => ({
    value: sine(random, { mean: 50, amplitude: 40, periodSeconds: 60, noise: 0, digits: 3 }),
  }),
  walk: (random: Random): Pattern => ({ value: walk(random, { from: 0, to: 100, stride: 2, digits: 2 }) }),
  step: (random: Random): Pattern => ({ value: step(random, [0, 25, 50, 100], 20) }),
  constant: (): Pattern => ({ value: constant(42) }),
  breach: (random: Random): Pattern => ({
    value: breach(random, { normal: 60, limit: 90, forSeconds: 5, everySeconds: 60 }),
  }),
};

export type PatternName = keyof typeof PATTERNS;
export const PATTERN_NAMES = Object.keys(PATTERNS) as [PatternName, ...PatternName[]];

/** The pattern that a device's key begins with, `loco` for `loco-01`; a meter when it names none. */
export function patternFor(key: string): PatternName {
  return PATTERN_NAMES.find((name) => key.startsWith(`${name}-`)) ?? 'meter';
}

/** The same device always moves alike. */
export function buildPattern(name: PatternName, key: string): Pattern {
  return PATTERNS[name](createRandom(seedOf(key)));
}
