import { jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { FrameError, parseFrame } from '#core/bus/messages.ts';
import { type PendingMessage, readPending } from '#core/bus/pending.ts';
import { UPLINK_STREAMS, type UplinkStream } from '#core/bus/uplink-streams.ts';
import { readMessage } from '#core/fleet/dialects/read-message.ts';
import { DEFAULT_TELEMETRY_LIMITS } from '#core/fleet/telemetry.ts';
import { uuidTime } from '#core/fleet/uuid.ts';

/** A frame that lies on the stream. */
export interface PendingFrame {
  readonly sequence: number;
  /** Undefined for what is no frame. */
  readonly batchId: string | undefined;
  readonly framedAt: number;
  /** Readings by tenant slug. */
  readonly readings: ReadonlyMap<string, number>;
}

/** A stream at one moment. */
export interface StreamState {
  readonly name: UplinkStream;
  /** Messages before this moment belong to another stream of the same name. */
  readonly createdAt: Date;
  readonly lastSequence: number;
  readonly pending: readonly PendingFrame[];
}

/** More than this in flight is not looked through: wait until ingest has caught up. */
const LIMITS = { messages: 100_000, bytes: 1024 * 1024 * 1024, timeoutMs: 60_000 };

/** Reads the streams without taking anything from them. @throws Error when more is in flight than can be looked through */
export async function readStreams(natsUrl: string): Promise<StreamState[]> {
  const connection = await connect({ servers: natsUrl.split(','), name: 'conserve', timeout: 5_000 });
  try {
    const manager = await jetstreamManager(connection, { timeout: 5_000 });
    const streams: StreamState[] = [];
    for (const name of UPLINK_STREAMS) {
      const { created, state } = await manager.streams.info(name);
      const { messages, complete } = await readPending(connection, name, '>', LIMITS);
      if (!complete)
        throw new Error('too much is in flight to be counted: try again when ingest has caught up');
      const pending = messages.filter(({ sequence }) => sequence <= state.last_seq).map(toFrame);
      streams.push({ name, createdAt: new Date(created), lastSequence: state.last_seq, pending });
    }
    return streams;
  } finally {
    await connection.close();
  }
}

function toFrame({ sequence, bytes }: PendingMessage): PendingFrame {
  try {
    const { batchId, items } = parseFrame(bytes);
    const readings = new Map<string, number>();
    for (const { tenant, device, kind, dialect, payload, receivedAt } of items) {
      const context = { device, receivedAt, dup: false, oldestTs: 0, limits: DEFAULT_TELEMETRY_LIMITS };
      const count = kind === 'telemetry' ? readMessage(dialect, payload, context).length : 0;
      readings.set(tenant, (readings.get(tenant) ?? 0) + count);
    }
    return { sequence, batchId, framedAt: uuidTime(batchId), readings };
  } catch (error) {
    if (!(error instanceof FrameError)) throw error;
    return { sequence, batchId: undefined, framedAt: 0, readings: new Map() };
  }
}
