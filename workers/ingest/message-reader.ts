import type { FramedItem } from '#core/bus/framed-item.ts';
import type { FrameItem } from '#core/bus/messages.ts';
import { readMessage } from '#core/fleet/dialects/read-message.ts';
import type { JsonTexts } from '#core/fleet/json-text.ts';
import {
  problemPart,
  readingId,
  type TelemetryLimits,
  type TelemetryPart,
  type TelemetryReading,
} from '#core/fleet/telemetry.ts';
import { TelemetryScanner } from '#core/fleet/telemetry-scanner.ts';
import type { KnownDevice } from './decoded.ts';
import type { Measured } from './measure.ts';

/** Of a reading what is not its values. */
export type ScannedReading = Omit<TelemetryReading, 'metrics' | 'metricsPath'>;

/** A reading that was found without parsing its message. */
export interface Scanned {
  readonly reading: ScannedReading;
  readonly measured: Measured;
}

/** What decoding reads messages with, and where the values of readings go: they may be read as long as nobody clears it. */
export interface DecodeTools {
  readonly reader: MessageReader;
  readonly texts: JsonTexts;
}

/** Of messages that the scanner did not understand it learns from one of so many, whatever devices with ever new names send. */
const LEARN_EVERY = 8;

/** Reads telemetry: an ordinary message from its bytes, every other one as its dialect says. */
export class MessageReader {
  readonly limits: TelemetryLimits;
  readonly #scanner: TelemetryScanner;
  #parsed = 0;

  constructor(limits: TelemetryLimits) {
    this.limits = limits;
    this.#scanner = new TelemetryScanner(limits);
  }

  /**
   * The reading of a message that means the same in every dialect that has `metrics`; undefined where `readParts` and `measure` must say
   * what it is. Costs about a fifth of them.
   * @param oldestTs readings before it are older than the tenant keeps them, in ms since the epoch
   * @param texts takes its values
   */
  scan(item: FramedItem, { profile }: KnownDevice, oldestTs: number, texts: JsonTexts): Scanned | undefined {
    if (item.replay || item.dialect === 'meter2') return undefined;
    const scanner = this.#scanner;
    const { frame, payloadFrom, payloadTo, receivedAt } = item;
    if (!scanner.scan(frame, payloadFrom, payloadTo)) return undefined;
    const ts = scanner.ts ?? receivedAt;
    if (ts < oldestTs || ts > receivedAt + this.limits.maxAheadMs) return undefined;
    const plan = scanner.planFor(profile);
    const metrics = plan && scanner.write(plan, texts);
    if (!metrics) return undefined;
    const { boot, seq, lat, lng } = scanner;
    const unnumbered = seq === undefined;
    const id = readingId({ boot, seq }, ts, unnumbered ? item.payload : NOTHING, 0, item);
    const timeless = scanner.ts === undefined && !unnumbered;
    const dupPossible = item.dup && scanner.ts === undefined && unnumbered;
    return {
      reading: { ts, id, lat, lng, timeless, dupPossible },
      measured: { metrics, shape: plan.shape },
    };
  }

  /**
   * The readings of a telemetry item, or what is wrong with them; nothing for any other kind. A replay of one reading is that
   * reading, or all there is of a message that has only one now.
   */
  readParts(item: FrameItem, oldestTs: number): readonly TelemetryPart[] {
    if (item.kind !== 'telemetry') return [];
    const { dialect, payload, device, receivedAt, dup, keyHash, replay } = item;
    const context = { device, receivedAt, dup, keyHash, oldestTs, limits: this.limits };
    const parts = readMessage(dialect, payload, context);
    this.#learn(parts);
    if (replay?.part === undefined || parts.length === 1) return parts;
    const part = parts[replay.part];
    return [part ?? problemPart('BAD_SHAPE', `the message has no reading ${replay.part} any more`)];
  }

  #learn([first]: readonly TelemetryPart[]): void {
    if (!first || 'problem' in first || first.reading.metricsPath !== 'metrics.') return;
    if (this.#parsed++ % LEARN_EVERY === 0) this.#scanner.learn(Object.keys(first.reading.metrics));
  }
}

const NOTHING = new Uint8Array();
