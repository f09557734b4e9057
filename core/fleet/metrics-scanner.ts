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
import { type KnownShape, nodeBehind, type ShapeNode } from './known-shapes.ts';
import { faultOf, scaled } from './measuring.ts';
import type { MeasuringPlan, PlannedValue } from './measuring-plan.ts';
import type { TelemetryLimits } from './telemetry.ts';

const TRUE = asciiBytes('true');
const FALSE = asciiBytes('false');

/** What a value is; everything else is left to the parser. */
const NUMBER = 0;
/** A number that JavaScript may print with other characters. */
const ODD_NUMBER = 1;
const STRING = 2;
const BOOLEAN = 3;

/** No number is printed with more characters. */
const LONGEST_NUMBER = 26;

/** Finds the values of metrics in bytes, and writes them as they are stored. */
export class MetricsScanner {
  readonly #maxStringLength: number;
  /** The values: where they begin and end, and what they are. */
  readonly #from: Int32Array;
  readonly #to: Int32Array;
  readonly #kinds: Uint8Array;
  #bytes: Uint8Array = new Uint8Array();
  #valueBytes = 0;

  /** What the metrics of the last scan are called; undefined where no reading had just these before. */
  shape: KnownShape | undefined;

  constructor({ maxMetrics, maxStringLength }: TelemetryLimits) {
    this.#maxStringLength = maxStringLength;
    this.#from = new Int32Array(maxMetrics);
    this.#to = new Int32Array(maxMetrics);
    this.#kinds = new Uint8Array(maxMetrics);
  }

  /** Reads the metrics that begin at `first`; returns where they end, or -1. */
  scan(bytes: Uint8Array, first: number, root: ShapeNode): number {
    if (bytes[first] !== OPEN) return -1;
    this.#bytes = bytes;
    this.#valueBytes = 0;
    let node = root;
    let at = skipBlanks(bytes, first + 1);
    for (let place = 0; ; place++) {
      if (bytes[at] !== QUOTE) return -1;
      const following = nodeBehind(node, bytes, at + 1);
      if (!following) return -1;
      node = following;
      at = skipBlanks(bytes, at + 2 + node.name.length);
      if (bytes[at] !== COLON) return -1;
      at = skipBlanks(bytes, at + 1);
      const end = this.#value(place, at);
      if (end < 0) return -1;
      this.#from[place] = at;
      this.#to[place] = end;
      this.#valueBytes += end - at;
      at = skipBlanks(bytes, end);
      if (bytes[at] === CLOSE) break;
      if (bytes[at] !== COMMA) return -1;
      at = skipBlanks(bytes, at + 1);
    }
    this.shape = node.shape;
    return at + 1;
  }

  /** Writes the metrics as `metricsJson` would; undefined where a value is not as the plan takes it for granted. */
  write(plan: MeasuringPlan, texts: JsonTexts): JsonText | undefined {
    const target = texts.room(plan.bytes + this.#valueBytes + plan.values.length * LONGEST_NUMBER);
    let at = texts.length;
    for (let index = 0; index < plan.values.length; index++) {
      const value = plan.values[index];
      if (!value) return undefined;
      at = copy(value.before, 0, value.before.length, target, at);
      at = this.#writeValue(value, target, at);
      if (at < 0) return undefined;
    }
    target[at] = CLOSE;
    return texts.take(at + 1);
  }

  /** Reads the value of a metric; returns where it ends, or -1. */
  #value(place: number, at: number): number {
    const bytes = this.#bytes;
    if (bytes[at] === QUOTE) {
      const end = plainStringEnd(bytes, at + 1);
      this.#kinds[place] = STRING;
      return end < 0 || end - at - 1 > this.#maxStringLength ? -1 : end + 1;
    }
    const reached = numberEnd(bytes, at);
    if (reached !== 0) {
      this.#kinds[place] = reached > 0 ? NUMBER : ODD_NUMBER;
      return Math.abs(reached);
    }
    this.#kinds[place] = BOOLEAN;
    if (standsAt(bytes, at, TRUE)) return at + TRUE.length;
    return standsAt(bytes, at, FALSE) ? at + FALSE.length : -1;
  }

  /** Writes one value; returns where it ends, or -1 where it is not as it should be. */
  #writeValue({ place, bounds, scale }: PlannedValue, target: Uint8Array, at: number): number {
    const [from, to, kind] = [this.#from[place] ?? 0, this.#to[place] ?? 0, this.#kinds[place] ?? 0];
    const isNumber = kind === NUMBER || kind === ODD_NUMBER;
    if (bounds || (isNumber && (scale || kind === ODD_NUMBER))) {
      const sent = this.#read(from, to, kind);
      const value = scale && typeof sent === 'number' ? scaled(sent, scale.factor, scale.offset) : sent;
      if (typeof value === 'number' && !Number.isFinite(value)) return -1;
      if (bounds && faultOf(bounds, value) !== undefined) return -1;
      if (typeof value === 'number' && (scale || kind === ODD_NUMBER))
        return writeAscii(String(value), target, at);
    }
    return copy(this.#bytes, from, to, target, at);
  }

  #read(from: number, to: number, kind: number): number | boolean | string {
    const bytes = this.#bytes;
    if (kind === NUMBER) return plainNumber(bytes, from, to);
    if (kind === ODD_NUMBER) return Number(asciiText(bytes, from, to));
    return kind === STRING ? asciiText(bytes, from + 1, to - 1) : to - from === TRUE.length;
  }
}

function copy(source: Uint8Array, from: number, to: number, target: Uint8Array, at: number): number {
  let place = at;
  for (let index = from; index < to; index++) target[place++] = source[index] ?? 0;
  return place;
}

function writeAscii(text: string, target: Uint8Array, at: number): number {
  for (let index = 0; index < text.length; index++) target[at + index] = text.charCodeAt(index);
  return at + text.length;
}
