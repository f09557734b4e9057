import type { ConsumerInfo } from '@nats-io/jetstream';
import type { Bus } from './connect.ts';
import { DEFAULT_STREAM_LIMITS, streamConfigs } from './streams.ts';

/** A stream of the platform as the bus sees it now. */
export interface StreamState {
  readonly name: string;
  readonly messages: number;
  readonly bytes: number;
  readonly firstSequence: number;
  readonly lastSequence: number;
  /** When the oldest message was stored; undefined while there is none. On a work queue this is how far its worker is behind. */
  readonly oldestAt: Date | undefined;
  readonly replicas: number;
  readonly storage: string;
  readonly consumers: readonly ConsumerState[];
}

/** Who reads a stream. */
export interface ConsumerState {
  readonly name: string;
  readonly durable: boolean;
  /** Messages it has not been given yet. */
  readonly pending: number;
  /** Messages it was given and has not answered for. */
  readonly unacknowledged: number;
  /** Of those, how many it was given more than once. */
  readonly redelivered: number;
  readonly lastDeliveredAt: Date | undefined;
}

/** Every stream with the consumers that it has, at most 256 of them, in the order of their names. */
export async function readStreamStates({ jsm }: Bus): Promise<StreamState[]> {
  const names = Object.keys(streamConfigs(DEFAULT_STREAM_LIMITS)).sort();
  return Promise.all(
    names.map(async (name) => {
      const { state, config } = await jsm.streams.info(name);
      const consumers = await jsm.consumers.list(name).next();
      return {
        name,
        messages: state.messages,
        bytes: state.bytes,
        firstSequence: state.first_seq,
        lastSequence: state.last_seq,
        oldestAt: state.messages > 0 ? new Date(state.first_ts) : undefined,
        replicas: config.num_replicas,
        storage: config.storage,
        consumers: consumers.map(stateOf).sort((a, b) => (a.name < b.name ? -1 : 1)),
      };
    }),
  );
}

function stateOf(info: ConsumerInfo): ConsumerState {
  // The library calls it nanoseconds; the server sends an instant in ISO-8601.
  const { last_active: lastActive } = info.delivered;
  return {
    name: info.name,
    durable: info.config.durable_name !== undefined,
    pending: info.num_pending,
    unacknowledged: info.num_ack_pending,
    redelivered: info.num_redelivered,
    lastDeliveredAt: lastActive === undefined ? undefined : new Date(String(lastActive)),
  };
}
