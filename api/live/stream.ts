import { AckPolicy, type Consumer, DeliverPolicy } from '@nats-io/jetstream';
import { nanos, nuid } from '@nats-io/nats-core';
import type { Bus } from '#core/bus/connect.ts';
import { eventsSubject } from '#core/bus/subjects.ts';
import { UnavailableError } from '#core/runtime/errors.ts';
import { LIVE_KINDS } from './filter.ts';

const STREAM = 'EVENTS';
/** A consumer that nobody pulls from for this long is removed by the server. */
const FORGOTTEN_AFTER_MS = 30_000;

/** What the stream holds. Dropping begins at the oldest, so everything from `first` to `last` is there. */
export interface StreamState {
  /** When the stream was made, in ms since the epoch. */
  readonly created: number;
  readonly first: number;
  readonly last: number;
  /** When its oldest message was published; undefined while it is empty. */
  readonly oldestAt: Date | undefined;
}

/** @throws UnavailableError when JetStream does not answer */
export async function readStreamState(bus: Bus): Promise<StreamState> {
  try {
    const { created, state } = await bus.jsm.streams.info(STREAM);
    return {
      created: Date.parse(created),
      first: state.first_seq,
      last: state.last_seq,
      oldestAt: state.messages > 0 ? new Date(state.first_ts) : undefined,
    };
  } catch (cause) {
    throw new UnavailableError('the event stream', { cause });
  }
}

/** A short-lived consumer of what subscribers may follow in one shard, made at an exact place. */
export interface ShardConsumer {
  readonly consumer: Consumer;
  /** As it was after the consumer was made: nothing that it held then can be missed. */
  readonly state: StreamState;
  /** Messages waiting when it was made. */
  readonly pending: number;
  remove(): void;
}

/** @param from the first sequence wanted @throws UnavailableError when JetStream does not answer */
export async function openShardConsumer(bus: Bus, shard: number, from: number): Promise<ShardConsumer> {
  const name = `live-${shard}-${nuid.next()}`;
  try {
    const info = await bus.jsm.consumers.add(STREAM, {
      name,
      ack_policy: AckPolicy.None,
      deliver_policy: DeliverPolicy.StartSequence,
      opt_start_seq: Math.max(1, from),
      filter_subjects: LIVE_KINDS.map((kind) => eventsSubject(shard, kind)),
      inactive_threshold: nanos(FORGOTTEN_AFTER_MS),
      mem_storage: true,
      num_replicas: 1,
    });
    const state = await readStreamState(bus);
    return {
      consumer: bus.js.consumers.getConsumerFromInfo(info),
      state,
      pending: info.num_pending,
      remove: () => void bus.jsm.consumers.delete(STREAM, name).catch(() => undefined),
    };
  } catch (cause) {
    if (cause instanceof UnavailableError) throw cause;
    throw new UnavailableError('the event stream', { cause });
  }
}
