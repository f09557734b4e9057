import { type BusMessage, done, type Fate, reject } from '#core/bus/consume.ts';
import { FrameError, parseFrame } from '#core/bus/messages.ts';
import type { Publisher } from '#core/bus/publish.ts';
import type { Pool } from '#core/db/pool.ts';
import { findStoredFrames, markPublished, type StoredFrame, storeFrames } from '#core/db/telemetry.ts';
import type { TelemetryLimits } from '#core/fleet/telemetry.ts';
import type { Logger } from '#core/runtime/logger.ts';
import { type DecodedFrame, decodeFrame, quarantineRow } from './decode.ts';
import { eventsOf } from './events.ts';
import type { Identities } from './identities.ts';
import type { IngestMetrics } from './metrics.ts';
import type { Partitions } from './partitions.ts';

export interface IngestDeps {
  readonly pool: Pool;
  readonly publisher: Publisher;
  readonly identities: Identities;
  readonly readingPartitions: Partitions;
  readonly framePartitions: Partitions;
  readonly limits: TelemetryLimits;
  readonly log: Logger;
  readonly metrics: IngestMetrics;
}

/**
 * Takes a batch of frames from the stream to committed rows and published events, in that order; only then is a frame
 * done. A frame that was stored before is only published, and only if it was not: redelivery changes nothing.
 */
export function createIngest(deps: IngestDeps): (messages: readonly BusMessage[]) => Promise<Fate[]> {
  return async (messages) => {
    const fates: Fate[] = messages.map(() => done);
    const decoded = await decodeAll(deps, messages, fates);
    const before = new Map((await findStored(deps, decoded)).map((frame) => [frame.batchId, frame]));
    const incoming = firstOfEach(decoded.filter((frame) => !before.has(frame.batchId)));
    const stored = await store(deps, incoming);
    const outcomes = new Map([...before, ...stored.map((frame) => [frame.batchId, frame] as const)]);

    const unpublished = firstOfEach(decoded).filter(
      (frame) => outcomes.get(frame.batchId)?.published === false,
    );
    await Promise.all(
      unpublished
        .flatMap((frame) => eventsOf(frame, outcomes.get(frame.batchId)?.fresh ?? []))
        .map((event) => deps.publisher.publish(event.subject, event.payload, event.id)),
    );
    if (unpublished.length > 0) await markPublished(deps.pool, unpublished);
    for (const fate of fates) deps.metrics.frames.inc({ fate: fate.kind });
    return fates;
  };
}

async function decodeAll(
  deps: IngestDeps,
  messages: readonly BusMessage[],
  fates: Fate[],
): Promise<DecodedFrame[]> {
  const frames = messages.flatMap((message, index) => {
    try {
      return [{ message, frame: parseFrame(message.bytes) }];
    } catch (error) {
      if (!(error instanceof FrameError)) throw error;
      fates[index] = reject(error.message);
      return [];
    }
  });
  const identityOf = await deps.identities.resolve(frames.flatMap(({ frame }) => frame.items));
  return frames.map(({ message, frame }) =>
    decodeFrame(
      frame,
      { shard: shardIn(message.subject), streamSequence: message.sequence },
      identityOf,
      deps.limits,
    ),
  );
}

const shardIn = (subject: string): number => Number(subject.slice(subject.lastIndexOf('.') + 1));

async function findStored(deps: IngestDeps, frames: readonly DecodedFrame[]): Promise<StoredFrame[]> {
  return frames.length === 0 ? [] : findStoredFrames(deps.pool, frames);
}

async function store(deps: IngestDeps, frames: readonly DecodedFrame[]): Promise<StoredFrame[]> {
  if (frames.length === 0) return [];
  const { metrics } = deps;
  await deps.readingPartitions.ensure(frames.flatMap((frame) => frame.rows.map((row) => row.ts)));
  await deps.framePartitions.ensure(frames.map((frame) => frame.framedAt));
  const stop = metrics.storeSeconds.startTimer();
  const stored = await storeFrames(deps.pool, frames, (row, detail) => {
    metrics.quarantined.inc({ reason: 'STORE_REJECTED' });
    return quarantineRow(
      row.item,
      row.identity,
      { reason: 'STORE_REJECTED', detail },
      row.itemIndex,
      row.part,
    );
  });
  stop();
  metrics.batchFrames.observe(frames.length);
  const now = Date.now();
  for (const frame of frames) {
    metrics.lateSeconds.observe(Math.max(0, now - frame.framedAt) / 1_000);
    for (const row of frame.quarantine) {
      metrics.quarantined.inc({ reason: row.reason });
      const receipt = `${frame.batchId}.${row.itemIndex}`;
      deps.log.info(
        { receipt, device: row.device, reason: row.reason, detail: row.detail },
        'message turned away',
      );
    }
    for (const counts of frame.counts.values()) {
      metrics.readings.inc({ outcome: 'stored' }, counts.stored);
      metrics.readings.inc({ outcome: 'duplicate' }, counts.duplicate);
      metrics.readings.inc({ outcome: 'quarantined' }, counts.quarantined);
    }
  }
  return stored;
}

function firstOfEach(frames: readonly DecodedFrame[]): DecodedFrame[] {
  return [...new Map(frames.map((frame) => [frame.batchId, frame])).values()];
}
