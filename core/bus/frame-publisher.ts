import { shardOf } from '../fleet/shards.ts';
import { type FrameItem, FrameWriter, itemBytes } from './messages.ts';
import type { Publisher } from './publish.ts';
import { UPLINK_STREAMS, uplinkStreamOf, uplinkSubject } from './uplink-streams.ts';

/** By which a message is known until ingest has given it its own id. */
export interface Receipt {
  readonly batchId: string;
  readonly index: number;
}

/** Called once: with a receipt after JetStream stored the frame, or with the error that ended the wait. */
export type FrameDone = (error: Error | undefined, receipt: Receipt | undefined) => void;

export interface FramePublisherOptions {
  readonly publisher: Publisher;
  readonly shards: number;
  /** The longest a message waits for company, in milliseconds. Default 5. From 4 000 messages a second on it is 15, up to 60 the more there are, or while frames are small. */
  readonly flushIntervalMs?: number;
  /** A frame is sent as soon as it is this long. Default 128 KiB. */
  readonly maxFrameBytes?: number;
  /** Above this many bytes without an answer `add` says false. Default 32 MiB. */
  readonly highWaterBytes?: number;
}

export interface FramePublisher {
  /**
   * Puts a message into the open frame of its stream and its tenant's shard. Messages of a stream and shard are sent in order; a frame that has to be sent again may be overtaken.
   * @returns false above the high-water mark: the message is taken all the same, but the caller must stop reading until
   * `onDrain` calls
   */
  add(item: FrameItem, done: FrameDone): boolean;
  /** Calls back each time the waiting bytes have fallen below half of the high-water mark. */
  onDrain(listener: () => void): void;
  /** Sends every open frame and waits for all answers. */
  flush(): Promise<void>;
  readonly pendingBytes: number;
}

interface OpenFrame {
  readonly writer: FrameWriter;
  readonly done: FrameDone[];
}

/**
 * What comes in a few milliseconds is spread over all shards: without a longer wait a busy process would send many small frames,
 * and what a message costs would depend on how many shards its tenants are in. Each frame costs the same in everybody who follows
 * its stream, however much is in it.
 */
const BUSY_PER_MS = 4;
const BUSY_FLUSH_MS = 15;
const LONGEST_FLUSH_MS = 60;
/** For each message a millisecond. */
const FLUSH_MS_PER_RATE = 1.5;
/** So many messages in a frame are company enough. */
const FRAME_MESSAGES = 32;

/** Gathers device messages into frames, one open frame a stream and shard. */
export function createFramePublisher(options: FramePublisherOptions): FramePublisher {
  const { publisher, shards } = options;
  const flushIntervalMs = options.flushIntervalMs ?? 5;
  const maxFrameBytes = options.maxFrameBytes ?? 128 * 1024;
  const highWaterBytes = options.highWaterBytes ?? 32 * 1024 * 1024;
  /** Of TELEMETRY every shard, then of each other stream. */
  const open: (OpenFrame | undefined)[] = new Array(shards * UPLINK_STREAMS.length).fill(undefined);
  const subjects = UPLINK_STREAMS.flatMap((stream) =>
    Array.from({ length: shards }, (_, shard) => uplinkSubject(stream, shard)),
  );
  const laneBegins = new Map(UPLINK_STREAMS.map((stream, index) => [stream, index * shards]));
  const shardOfTenant = new Map<string, number>();
  const drained: (() => void)[] = [];
  const sending = new Set<Promise<void>>();
  let pendingBytes = 0;
  let congested = false;
  let timer: NodeJS.Timeout | undefined;
  let waitMs = flushIntervalMs;
  /** Messages since the last time that all frames were sent. */
  let gathered = 0;

  const shardFor = (tenant: string): number => {
    let shard = shardOfTenant.get(tenant);
    if (shard === undefined) {
      shard = shardOf(tenant, shards);
      shardOfTenant.set(tenant, shard);
    }
    return shard;
  };

  const laneFor = ({ kind, tenant }: FrameItem): number =>
    kind === 'telemetry' ? shardFor(tenant) : (laneBegins.get(uplinkStreamOf(kind)) ?? 0) + shardFor(tenant);

  const send = (lane: number) => {
    const frame = open[lane];
    if (!frame) return;
    open[lane] = undefined;
    const bytes = frame.writer.bytes;
    const { batchId } = frame.writer;
    const finish = (error: Error | undefined) => {
      pendingBytes -= bytes;
      for (const [index, done] of frame.done.entries()) done(error, error ? undefined : { batchId, index });
      if (congested && pendingBytes < highWaterBytes / 2) {
        congested = false;
        for (const listener of drained) listener();
      }
    };
    const sent = publisher.publish(subjects[lane] ?? '', frame.writer.finish(), batchId).then(
      () => finish(undefined),
      (error: Error) => finish(error),
    );
    sending.add(sent);
    void sent.finally(() => sending.delete(sent));
  };

  const sendAll = () => {
    timer = undefined;
    const busy = gathered >= BUSY_PER_MS * Math.max(1, waitMs);
    const frames = open.reduce((count, frame) => (frame ? count + 1 : count), 0);
    const untilFull = (waitMs * FRAME_MESSAGES * frames) / gathered;
    const forRate = (FLUSH_MS_PER_RATE * gathered) / Math.max(1, waitMs);
    const busyWaitMs = Math.round(Math.min(LONGEST_FLUSH_MS, Math.max(BUSY_FLUSH_MS, forRate, untilFull)));
    waitMs = busy ? Math.max(flushIntervalMs, busyWaitMs) : flushIntervalMs;
    gathered = 0;
    for (let lane = 0; lane < open.length; lane++) send(lane);
  };

  return {
    add(item, done) {
      const lane = laneFor(item);
      let frame = open[lane];
      if (!frame) {
        frame = { writer: new FrameWriter(Date.now(), 16 * 1024), done: [] };
        open[lane] = frame;
        pendingBytes += frame.writer.bytes;
      }
      frame.writer.add(item);
      frame.done.push(done);
      gathered += 1;
      pendingBytes += itemBytes(item);
      if (frame.writer.bytes >= maxFrameBytes) send(lane);
      else timer ??= setTimeout(sendAll, waitMs);
      if (pendingBytes < highWaterBytes) return true;
      congested = true;
      return false;
    },
    onDrain: (listener) => drained.push(listener),
    async flush() {
      clearTimeout(timer);
      sendAll();
      while (sending.size > 0) await Promise.all(sending);
    },
    get pendingBytes() {
      return pendingBytes;
    },
  };
}
