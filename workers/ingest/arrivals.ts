import { type BusMessage, type Fate, reject } from '#core/bus/consume.ts';
import { type Frame, FrameError, parseFrame } from '#core/bus/messages.ts';
import type { UplinkStream } from '#core/bus/uplink-streams.ts';
import type { RepeatedFrame } from '#core/db/telemetry.ts';
import { uuidTime } from '#core/fleet/uuid.ts';
import type { FramePlace } from './decoded.ts';

/** The bytes of a frame and where they came from. */
export interface Arrived {
  readonly bytes: Uint8Array;
  readonly place: FramePlace;
  readonly batchId: string;
  readonly framedAt: number;
}

export interface Parsed {
  readonly arrived: Arrived;
  readonly frame: Frame;
  /** See `decodeFrame`. */
  readonly stored?: readonly boolean[] | undefined;
}

/** The frames of a batch, each once, and those that came twice in it; what is no frame gets its fate here. */
export function parseAll(
  stream: UplinkStream,
  messages: readonly BusMessage[],
  fates: Fate[],
): { readonly parsed: readonly Parsed[]; readonly repeats: RepeatedFrame[] } {
  const parsed = new Map<string, Parsed>();
  const repeats: RepeatedFrame[] = [];
  for (const [index, message] of messages.entries()) {
    try {
      const frame = parseFrame(message.bytes);
      const { batchId } = frame;
      const { sequence: streamSequence, streamedAt, origin } = message;
      const first = parsed.get(batchId)?.arrived;
      if (first) {
        if (first.place.streamSequence !== streamSequence)
          repeats.push({ stream, batchId, streamSequence, streamedAt });
        continue;
      }
      const [framedAt, shard] = [uuidTime(batchId), shardIn(message.subject)];
      const place = { stream, shard, streamSequence, streamedAt, origin };
      const arrived = { bytes: message.bytes, batchId, framedAt, place };
      parsed.set(batchId, { frame, arrived });
    } catch (error) {
      if (!(error instanceof FrameError)) throw error;
      fates[index] = reject(error.message);
    }
  }
  return { parsed: [...parsed.values()], repeats };
}

const shardIn = (subject: string): number => Number(subject.slice(subject.lastIndexOf('.') + 1));
