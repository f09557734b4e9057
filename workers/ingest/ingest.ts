import { type BusMessage, done, type Fate } from '#core/bus/consume.ts';
import { parseFrame } from '#core/bus/messages.ts';
import type { Publisher } from '#core/bus/publish.ts';
import type { UplinkStream } from '#core/bus/uplink-streams.ts';
import { type Pool, sqlState } from '#core/db/pool.ts';
import { findStoredValues, MISSING_PARTITION } from '#core/db/readings.ts';
import {
  findStoredFrames,
  markPublished,
  noteRepeats,
  type RejectedToQuarantine,
  type StoredFrame,
  type StoreMessages,
  storeFrames,
} from '#core/db/telemetry.ts';
import { JsonTexts } from '#core/fleet/json-text.ts';
import type { TelemetryLimits } from '#core/fleet/telemetry.ts';
import { createLane } from '#core/runtime/lane.ts';
import type { Logger } from '#core/runtime/logger.ts';
import { type Arrived, type Parsed, parseAll } from './arrivals.ts';
import { decodeFrame } from './decode.ts';
import type { DecodedFrame } from './decoded.ts';
import type { Discovery } from './discovery.ts';
import { eventsOf } from './events.ts';
import type { Identities } from './identities.ts';
import type { IngestRow } from './ingest-row.ts';
import { type DecodeTools, MessageReader } from './message-reader.ts';
import type { IngestMetrics } from './metrics.ts';
import type { Partitions } from './partitions.ts';
import { createReportStore, readReportVersions } from './reports.ts';
import { quarantineRow } from './rows.ts';

export interface IngestDeps {
  readonly pool: Pool;
  /** Where the frames come from; each stream has an ingest of its own, and waits for no other. */
  readonly stream: UplinkStream;
  /** Names this process among its replicas. */
  readonly worker: string;
  readonly publisher: Publisher;
  readonly identities: Identities;
  readonly discovery: Pick<Discovery, 'note'>;
  readonly readingPartitions: Partitions;
  readonly framePartitions: Partitions;
  readonly limits: TelemetryLimits;
  /** Takes commands further by what frames say of them. */
  readonly storeAcks: StoreMessages<DecodedFrame>;
  readonly log: Logger;
  readonly metrics: IngestMetrics;
}

const DAY_MS = 86_400_000;

/**
 * Takes a batch of frames from the stream to committed rows and published events, in that order; only then is a frame
 * done. A frame that was stored before is only published, and only if it was not: redelivery changes nothing. While one batch
 * is stored the next is decoded and the one before published; storing and publishing happen in the order of the batches.
 */
export function createIngest(
  deps: IngestDeps,
): (messages: readonly BusMessage[], next: () => void) => Promise<Fate[]> {
  const [storing, publishing] = [createLane(), createLane()];
  const reader = new MessageReader(deps.limits);
  /** Of batches that are done: others write into them again. */
  const spareTexts: JsonTexts[] = [];
  const storeReports = createReportStore(deps.metrics);
  const storeMessages: StoreMessages<DecodedFrame> = async (connection, frames) => [
    ...(await storeReports(connection, frames)),
    ...(await deps.storeAcks(connection, frames)),
  ];
  /** Frames and their messages are many small objects: none outlives this. */
  const takeIn = async (messages: readonly BusMessage[], fates: Fate[], tools: DecodeTools) => {
    const { parsed, repeats } = parseAll(deps.stream, messages, fates);
    const decoded = await decodeAll(deps, parsed, tools);
    return { arrived: parsed.map(({ arrived }) => arrived), repeats, decoded };
  };
  return async (messages, next) => {
    const fates: Fate[] = messages.map(() => done);
    const texts = spareTexts.pop() ?? new JsonTexts();
    const tools = { reader, texts };
    const { arrived, repeats, decoded } = await takeIn(messages, fates, tools);

    const { unpublished, freshOf } = await storing(async () => {
      next();
      const before = new Map((await findStored(deps, arrived)).map((frame) => [frame.batchId, frame]));
      for (const { batchId, place } of arrived) {
        const known = before.get(batchId);
        if (known && known.streamSequence !== place.streamSequence) repeats.push({ ...place, batchId });
      }
      if (repeats.length > 0) await noteRepeats(deps.pool, repeats);
      const incoming = decoded.filter(({ batchId }) => !before.has(batchId));
      const untold = arrived.flatMap((each) => {
        const known = before.get(each.batchId);
        if (!known || known.published) return [];
        return [{ arrived: each, frame: parseFrame(each.bytes), stored: known.fresh }];
      });
      const repeated = await decodeAll(deps, untold, tools);
      const rejected = rejectedBy(arrived, deps.metrics);
      const stored = new Map(
        (await store(deps, incoming, rejected, storeMessages)).map((frame) => [frame.batchId, frame]),
      );
      for (const { batchId, rows } of incoming)
        for (const row of rows)
          if (row.unmodelled && stored.get(batchId)?.fresh[row.slot]) deps.discovery.note(row);
      return {
        unpublished: [...incoming, ...(await withStoredValues(deps, repeated))],
        freshOf: ({ batchId }: DecodedFrame) => (stored.get(batchId) ?? before.get(batchId))?.fresh ?? [],
      };
    });
    await publishing(async () => {
      const versionOf = await readReportVersions(deps.pool, unpublished);
      await Promise.all(
        unpublished
          .flatMap((frame) => eventsOf(frame, freshOf(frame), versionOf))
          .map((event) => deps.publisher.publish(event.subject, event.payload, event.id)),
      );
    });
    // In no order: the next batch need not wait for it.
    if (unpublished.length > 0) await markPublished(deps.pool, unpublished);
    for (const fate of fates) deps.metrics.frames.inc({ fate: fate.kind });
    // Nobody has a row of it any more. After a failure that is not certain, and they are left to the collector.
    texts.clear();
    spareTexts.push(texts);
    return fates;
  };
}

/** Decides the fate of everything in these frames, with one query for all whose identity is not known. */
async function decodeAll(
  deps: IngestDeps,
  parsed: readonly Parsed[],
  tools: DecodeTools,
): Promise<DecodedFrame[]> {
  const identities = await deps.identities.resolve(parsed.flatMap(({ frame }) => frame.items));
  let first = 0;
  return parsed.map(({ arrived: { place }, frame, stored }) => {
    const own = identities.slice(first, first + frame.items.length);
    first += frame.items.length;
    return decodeFrame(frame, place, own, tools, stored);
  });
}

/** Turns a row that the database refused away; its message is read from the frame again, because nobody kept it. */
function rejectedBy(arrived: readonly Arrived[], metrics: IngestMetrics): RejectedToQuarantine<IngestRow> {
  return (row, detail, { batchId }) => {
    metrics.quarantined.inc({ reason: 'STORE_REJECTED' });
    const bytes = arrived.find((each) => each.batchId === batchId)?.bytes;
    const item = bytes && parseFrame(bytes).items[row.itemIndex];
    if (!item) throw new Error(`frame ${batchId} has no message ${row.itemIndex}`);
    return quarantineRow(item, row.identity, { reason: 'STORE_REJECTED', detail }, row);
  };
}

async function findStored(deps: IngestDeps, frames: readonly Arrived[]): Promise<StoredFrame[]> {
  return frames.length === 0 ? [] : findStoredFrames(deps.pool, frames);
}

/** The frames with the values that their readings have in the database, whatever has become of maps and templates since. */
async function withStoredValues(deps: IngestDeps, frames: readonly DecodedFrame[]): Promise<DecodedFrame[]> {
  const rows = frames.flatMap((frame) => frame.rows);
  if (rows.length === 0) return [...frames];
  const values = await findStoredValues(deps.pool, rows);
  const stored = new Map(
    rows.map((row, index) => {
      const known = values[index];
      return [row, known ? row.withStored(known) : row];
    }),
  );
  return frames.map((frame) => ({ ...frame, rows: frame.rows.map((row) => stored.get(row) ?? row) }));
}

/** Times of a frame's readings, at least one for each day. */
function timesOf({ rows }: DecodedFrame): number[] {
  const times: number[] = [];
  let day = Number.NaN;
  for (const { ts } of rows) {
    const own = Math.floor(ts / DAY_MS);
    if (own !== day) times.push(ts);
    day = own;
  }
  return times;
}

async function store(
  deps: IngestDeps,
  frames: readonly DecodedFrame[],
  rejected: RejectedToQuarantine<IngestRow>,
  storeMessages: StoreMessages<DecodedFrame>,
): Promise<StoredFrame[]> {
  if (frames.length === 0) return [];
  const { metrics } = deps;
  await deps.readingPartitions.ensure(frames.flatMap((frame) => timesOf(frame)));
  await deps.framePartitions.ensure(frames.map((frame) => frame.framedAt));
  const stop = metrics.storeSeconds.startTimer();
  const stored = await storeFrames(deps.pool, frames, rejected, deps.worker, storeMessages).catch(
    (error: unknown) => {
      // Somebody dropped the partition of a day that we remember: the next attempt makes it again.
      if (sqlState(error) === MISSING_PARTITION)
        for (const each of [deps.readingPartitions, deps.framePartitions]) each.forget();
      throw error;
    },
  );
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
