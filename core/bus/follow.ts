import { setTimeout as sleep } from 'node:timers/promises';
import { DeliverPolicy, type JsMsg } from '@nats-io/jetstream';
import type { Logger } from '../runtime/logger.ts';
import type { Bus } from './connect.ts';
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
  /** Called in stream order, each sequence once, without waiting: it must not block. */
  onMessage(message: JsMsg): void;
  /** The stream has been made anew or no longer holds the next sequence; following goes on from what it holds. */
  onLost(first: StreamPlace): void;
}

export interface Following {
  stop(): Promise<void>;
}

const REOPEN_PAUSE_MS = 200;

/** What a stream holds now: its identity, first and last sequence. */
export async function streamState(
  bus: Bus,
  stream: StreamName,
): Promise<{ createdAt: string; first: number; last: number }> {
  const info = await bus.jsm.streams.info(stream);
  return { createdAt: info.created, first: info.state.first_seq, last: info.state.last_seq };
}

/**
 * Follows a stream without a durable consumer: in order, without repeats, from a given sequence on. When the server goes
 * away the consumer is made again at the next sequence; whoever follows never sees that it was gone.
 */
export function follow(options: FollowOptions): Following {
  const { bus, log } = options;
  let next = options.from;
  let createdAt: string | undefined;
  let stopping = false;
  let end: (() => void) | undefined;

  const open = async () => {
    const state = await streamState(bus, options.stream);
    const anew = createdAt !== undefined && createdAt !== state.createdAt;
    if (anew || next < state.first || next > state.last + 1) {
      options.onLost({ createdAt: state.createdAt, sequence: state.first });
      next = Math.max(state.first, 1);
    }
    createdAt = state.createdAt;
    const consumer = await bus.js.consumers.get(options.stream, {
      filter_subjects: options.filter,
      deliver_policy: DeliverPolicy.StartSequence,
      opt_start_seq: Math.max(next, 1),
    });
    const messages = await consumer.consume({
      max_messages: 500,
      idle_heartbeat: 2_000,
      callback: (message) => {
        if (message.seq < next) return;
        next = message.seq + 1;
        options.onMessage(message);
      },
    });
    end = () => messages.stop();
    await messages.closed();
  };

  const running = (async () => {
    while (!stopping) {
      try {
        await open();
      } catch (error) {
        if (!stopping)
          log.warn(
            { err: error, stream: options.stream, filter: options.filter },
            'follower lost, opening it again',
          );
      }
      if (!stopping) await sleep(REOPEN_PAUSE_MS);
    }
  })();

  return {
    async stop() {
      stopping = true;
      end?.();
      await Promise.race([running, sleep(1_000, undefined, { ref: false })]);
    },
  };
}
