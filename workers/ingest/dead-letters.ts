import type { DeadLetter } from '#core/bus/consume.ts';
import { type Frame, FrameError, parseFrame } from '#core/bus/messages.ts';
import type { DeviceIdentity } from '#core/db/devices.ts';
import { Manifest } from '#core/db/manifest.ts';
import type { Pool } from '#core/db/pool.ts';
import { insertDeadLetter, type ReplayOutcome } from '#core/db/quarantine.ts';
import type { ReadingRow } from '#core/db/readings.ts';
import {
  countsOf,
  type FrameCounts,
  type FrameToStore,
  findStoredFrames,
  NO_TENANT,
  noteRepeats,
  storeFrames,
} from '#core/db/telemetry.ts';
import { uuidTime } from '#core/fleet/uuid.ts';
import type { Identities } from './identities.ts';
import type { Partitions } from './partitions.ts';

export interface DeadLetterDeps {
  readonly pool: Pool;
  readonly worker: string;
  readonly identities: Identities;
  readonly framePartitions: Partitions;
}

/**
 * Commits what lets a frame be given up: one dead letter a message, for its tenant, and the frame's own row, so that each is
 * accounted for. What is no frame is one letter of nobody. A frame whose readings are stored is no dead letter: only its
 * events could not be published, and it is left as it is.
 */
export function createDeadLetters(deps: DeadLetterDeps): (letter: DeadLetter) => Promise<void> {
  return async (letter) => {
    const { stream, sequence, streamedAt, bytes, why: reason } = letter;
    const frame = readFrame(bytes);
    if (!frame) {
      const row = { stream, sequence, streamedAt, itemIndex: -1, payload: bytes, reason };
      await insertDeadLetter(deps.pool, row);
      return;
    }
    const framedAt = uuidTime(frame.batchId);
    const [stored] = await findStoredFrames(deps.pool, [{ batchId: frame.batchId, framedAt }]);
    if (stored) {
      if (stored.streamSequence !== sequence)
        await noteRepeats(deps.pool, [
          { stream, batchId: frame.batchId, streamSequence: sequence, streamedAt },
        ]);
      return;
    }
    const identities = await deps.identities.resolve(frame.items);
    await deps.framePartitions.ensure([framedAt]);
    const given = toGivenUp(frame, letter, identities);
    await storeFrames(deps.pool, [given], () => never(), deps.worker);
  };
}

function readFrame(bytes: Uint8Array): Frame | undefined {
  try {
    return parseFrame(bytes);
  } catch (error) {
    if (error instanceof FrameError) return undefined;
    throw error;
  }
}

function never(): never {
  throw new Error('a frame that is given up has no readings');
}

/** A frame all of whose messages are dead letters. */
function toGivenUp(
  frame: Frame,
  letter: DeadLetter,
  identities: readonly (DeviceIdentity | undefined)[],
): FrameToStore<ReadingRow> {
  const counts = new Map<number, FrameCounts>();
  const manifest = new Manifest(frame.items.length);
  const replays: ReplayOutcome[] = [];
  const deadLetters = frame.items.map(({ device, kind, source, payload, replay }, itemIndex) => {
    const identity = identities[itemIndex];
    const tenantId = identity?.tenantId;
    const count = countsOf(counts, tenantId ?? NO_TENANT);
    count.accepted++;
    count.deadLettered++;
    const deviceId = identity?.deviceId ?? 0;
    manifest.add({ fate: 'DEAD_LETTERED', continues: false, source, kind, deviceId, id: undefined });
    if (replay && identity) {
      const { quarantineId } = replay;
      const about = { tenantId: identity.tenantId, reason: undefined, reading: undefined };
      replays.push({ quarantineId, outcome: 'DEAD_LETTERED', ...about });
    }
    return { itemIndex, tenantId, device, payload, reason: letter.why };
  });
  return {
    batchId: frame.batchId,
    framedAt: uuidTime(frame.batchId),
    stream: letter.stream,
    streamSequence: letter.sequence,
    streamedAt: letter.streamedAt,
    origin: letter.origin,
    shard: Number(letter.subject.slice(letter.subject.lastIndexOf('.') + 1)),
    items: frame.items.length,
    ...{ rows: [], quarantine: [], deadLetters, replays, manifest, counts },
  };
}
