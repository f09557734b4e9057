import { setTimeout as sleep } from 'node:timers/promises';
import { AckPolicy, type Consumer, DeliverPolicy, type JsMsg } from '@nats-io/jetstream';
import { nanos, nuid } from '@nats-io/nats-core';
import type { Logger } from '../runtime/logger.ts';
import type { Bus } from './connect.ts';
import { endWhenLost } from './lost.ts';
import type { StreamName } from './streams.ts';

/** A place on a stream. A stream that was made anew has another `createdAt`, and its sequences mean nothing here. */
export interface StreamPlace {
  /** ISO-8601, as the server says it. */
  readonly createdAt: string;
  readonly sequence: number;
}

export interface FollowOptions {
  readonly bus: Bus;
  readonly stream: StreamName;
  readonly filter: string;
  /** The first sequence wanted. */
  readonly from: number;
  readonly log: Logger;
  /** Called in stream order, each sequence once, without waiting. What it throws is logged and the message skipped. */
  onMessage(message: JsMsg): void;
  /** The stream has been made anew or no longer holds the next sequence; following goes on from what it holds. */
  onLost(first: StreamPlace): void;
  /** Nothing that is followed lies between the last message and this sequence. */
  onQuiet?(sequence: number): void;
}

export interface Following {
  stop(): Promise<void>;
}

const REOPEN_PAUSE_MS = 200;
const QUIET_CHECK_MS = 5_000;
/** A consumer that nobody pulls from for this long is removed by the server. */
const FORGOTTEN_AFTER_MS = 30_000;

/** What a stream holds now: its identity, first and last sequence. */
export async function streamState(
  bus: Bus,
  stream: StreamName,
): Promise<{ createdAt: string; first: number; last: number }> {
  const info = await bus.jsm.streams.info(stream);
  return { createdAt: info.created, first: info.state.first_seq, last: info.state.last_seq };
}

/**
 * Follows a stream without a durable consumer: in order, without repeats, from a given sequence on. Whenever the consumer,
 * the server or the connection is lost the consumer is made again at the next sequence; whoever follows never sees that it
 * was gone.
 */
export function follow(options: FollowOptions): Following {
  const { bus, log, stream } = options;
  let next = Math.max(1, options.from);
  let createdAt: string | undefined;
  let stopping = false;
  let end: (() => void) | undefined;

  const open = async (): Promise<{ consumer: Consumer; name: string }> => {
    const info = await bus.jsm.consumers.add(stream, {
      name: `follow-${nuid.next()}`,
      ack_policy: AckPolicy.None,
      deliver_policy: DeliverPolicy.StartSequence,
      opt_start_seq: next,
      filter_subject: options.filter,
      inactive_threshold: nanos(FORGOTTEN_AFTER_MS),
      mem_storage: true,
      num_replicas: 1,
    });
    // Read after the consumer was made: what the stream held then cannot be missed.
    const state = await streamState(bus, stream);
    const anew = createdAt !== undefined && createdAt !== state.createdAt;
    createdAt = state.createdAt;
    if (!anew && next >= state.first && next <= state.last + 1) {
      return { consumer: bus.js.consumers.getConsumerFromInfo(info), name: info.name };
    }
    remove(info.name);
    options.onLost({ createdAt, sequence: state.first });
    next = Math.max(1, state.first);
    return open();
  };

  const remove = (name: string) => void bus.jsm.consumers.delete(stream, name).catch(() => undefined);

  const take = (message: JsMsg) => {
    if (message.seq < next) return;
    next = message.seq + 1;
    try {
      options.onMessage(message);
    } catch (error) {
      log.error({ err: error, stream, sequence: message.seq }, 'message skipped');
    }
  };

  const noteQuiet = async (consumer: Consumer) => {
    const before = next;
    const state = await streamState(bus, stream);
    const { num_pending: pending, delivered } = await consumer.info();
    if (state.createdAt !== createdAt || pending > 0 || delivered.stream_seq >= next || before !== next)
      return;
    if (state.last < next) return;
    next = state.last + 1;
    options.onQuiet?.(state.last);
  };

  const run = async () => {
    const { consumer, name } = await open();
    try {
      const messages = await consumer.consume({ max_messages: 500, idle_heartbeat: 2_000, callback: take });
      end = () => messages.stop();
      if (stopping) end();
      void endWhenLost(messages);
      const clock = setInterval(() => void noteQuiet(consumer).catch(() => undefined), QUIET_CHECK_MS);
      await messages.closed();
      clearInterval(clock);
    } finally {
      end = undefined;
      remove(name);
    }
  };

  // What the old connection carried is gone: read again from the next sequence.
  const forget = bus.onReconnect(() => end?.());
  const running = (async () => {
    while (!stopping) {
      try {
        await run();
      } catch (error) {
        if (!stopping)
          log.warn({ err: error, stream, filter: options.filter }, 'follower lost, opening it again');
      }
      if (!stopping) await sleep(REOPEN_PAUSE_MS);
    }
  })();

  return {
    async stop() {
      stopping = true;
      forget();
      end?.();
      await Promise.race([running, sleep(1_000, undefined, { ref: false })]);
    },
  };
}
