import {
  asciiBytes,
  asciiText,
  CLOSE,
  COLON,
  COMMA,
  numberEnd,
  OPEN,
  plainNumber,
  plainStringEnd,
  QUOTE,
  skipBlanks,
  standsAt,
} from './json-bytes.ts';
import type { JsonText, JsonTexts } from './json-text.ts';
import { KnownShapes, planFor } from './known-shapes.ts';
import type { Profile } from './measuring.ts';
import type { MeasuringPlan } from './measuring-plan.ts';
import { MetricsScanner } from './metrics-scanner.ts';
import type { TelemetryLimits } from './telemetry.ts';
import { readTimestamp } from './timestamps.ts';

/** The members of a message that it knows, with the quote behind them. */
const KEYS = ['ts', 'seq', 'boot', 'lat', 'lng', 'version', 'metrics'] as const;
const KEY_BYTES = KEYS.map((key) => asciiBytes(`${key}"`));
const METRICS = KEYS.indexOf('metrics');

const VERSIONS = [asciiBytes('"1"'), asciiBytes('1')];

/**
 * Reads an ordinary message from its bytes: `version`, `ts`, `seq`, `boot`, `lat`, `lng` in any order, and `metrics` whose names it has
 * seen before in this order, with numbers, booleans and ASCII strings without escapes. Whatever it takes means what `readTelemetry` finds
 * in it, to the byte; it turns nothing away: what it does not know it leaves to that.
 *
 * One is made for many messages. What it found in the last is in its fields until the next.
 */
export class TelemetryScanner {
  readonly #maxMessageBytes: number;
  readonly #shapes: KnownShapes;
  readonly #metrics: MetricsScanner;

  /** In ms since the epoch; undefined where the message gives no time. */
  ts: number | undefined;
  seq: number | undefined;
  boot = 0;
  lat: number | undefined;
  lng: number | undefined;

  constructor(limits: TelemetryLimits) {
    this.#maxMessageBytes = limits.maxMessageBytes;
    this.#shapes = new KnownShapes(limits.maxMetrics);
    this.#metrics = new MetricsScanner(limits);
  }

  /** Remembers the names of the metrics of a good reading, in the order in which they were sent. */
  learn(names: readonly string[]): void {
    this.#shapes.learn(names);
  }

  /** Whether the bytes from `from` to `to` are a message that it understands all of. The time is not compared with any other. */
  scan(bytes: Uint8Array, from: number, to: number): boolean {
    if (to - from > this.#maxMessageBytes || bytes[to - 1] !== CLOSE) return false;
    this.#metrics.shape = undefined;
    this.ts = undefined;
    this.seq = undefined;
    this.boot = 0;
    this.lat = undefined;
    this.lng = undefined;
    return bytes[from] === OPEN && this.#members(bytes, from + 1) === to && this.#metrics.shape !== undefined;
  }

  /** How this profile stores the values of the message; undefined where it must be asked for each. */
  planFor(profile: Profile | undefined): MeasuringPlan | undefined {
    // A reading that only its number tells from others must be compared by what was sent, not by what a map made of it.
    if (profile?.maps && this.ts === undefined && this.seq !== undefined) return undefined;
    const { shape } = this.#metrics;
    return shape && planFor(shape, profile);
  }

  /** Writes the metrics as `metricsJson` would; undefined where a value is not as the plan takes it for granted. */
  write(plan: MeasuringPlan, texts: JsonTexts): JsonText | undefined {
    return this.#metrics.write(plan, texts);
  }

  /** Where the object ends whose first member may begin at `first`, or -1. */
  #members(bytes: Uint8Array, first: number): number {
    let seen = 0;
    let at = first;
    for (;;) {
      at = skipBlanks(bytes, at);
      if (bytes[at] !== QUOTE) return -1;
      const key = keyAt(bytes, at + 1);
      const name = KEY_BYTES[key];
      if (!name || (seen & (1 << key)) !== 0) return -1;
      seen |= 1 << key;
      at = skipBlanks(bytes, at + 1 + name.length);
      if (bytes[at] !== COLON) return -1;
      at = skipBlanks(bytes, at + 1);
      at = key === METRICS ? this.#metrics.scan(bytes, at, this.#shapes.root) : this.#member(bytes, key, at);
      if (at < 0) return -1;
      at = skipBlanks(bytes, at);
      const next = bytes[at++];
      if (next === CLOSE) return at;
      if (next !== COMMA) return -1;
    }
  }

  /** Reads a member of the envelope; returns where it ends, or -1. */
  #member(bytes: Uint8Array, key: number, at: number): number {
    const name = KEYS[key];
    if (name === 'version') {
      for (const version of VERSIONS) if (standsAt(bytes, at, version)) return at + version.length;
      return -1;
    }
    if (name === 'ts' && bytes[at] === QUOTE) {
      const end = plainStringEnd(bytes, at + 1);
      if (end < 0) return -1;
      this.ts = readTimestamp(asciiText(bytes, at + 1, end));
      return this.ts === undefined ? -1 : end + 1;
    }
    const reached = numberEnd(bytes, at);
    if (reached === 0) return -1;
    const end = Math.abs(reached);
    const value = reached > 0 ? plainNumber(bytes, at, end) : Number(asciiText(bytes, at, end));
    return this.#take(name, value) ? end : -1;
  }

  #take(name: (typeof KEYS)[number] | undefined, value: number): boolean {
    switch (name) {
      case 'ts':
        this.ts = readTimestamp(value);
        return this.ts !== undefined;
      case 'seq':
        this.seq = value;
        return Number.isSafeInteger(value) && value >= 0;
      case 'boot':
        this.boot = value;
        return Number.isSafeInteger(value) && value >= 0;
      case 'lat':
        this.lat = value;
        return Math.abs(value) <= 90;
      case 'lng':
        this.lng = value;
        return Math.abs(value) <= 180;
      default:
        return false;
    }
  }
}

/** Which member has its name at `at`, or -1. */
function keyAt(bytes: Uint8Array, at: number): number {
  for (let key = 0; key < KEY_BYTES.length; key++) {
    const name = KEY_BYTES[key];
    if (name && standsAt(bytes, at, name)) return key;
  }
  return -1;
}
