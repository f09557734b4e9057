import { setTimeout as sleep } from 'node:timers/promises';
import type { JsMsg } from '@nats-io/jetstream';
import type { Bus } from '#core/bus/connect.ts';
import { endWhenLost } from '#core/bus/lost.ts';
import type { Logger } from '#core/runtime/logger.ts';
import { openShardConsumer, readStreamState, type ShardConsumer } from './stream.ts';

export interface TailOptions {
  readonly bus: Bus;
  readonly shard: number;
  readonly log: Logger;
  /** The place from which on every message is delivered, once it is known, and again whenever it cannot be kept. */
  onPlace(place: { readonly created: number; readonly sequence: number }): void;
  /** Every message of the shard behind the place, each once, in order. Must not throw. */
  onMessage(message: JsMsg): void;
  /** Nothing of the shard lies between the last message and this sequence. */
  onQuiet(sequence: number): void;
}

export interface Tail {
  /** The connection was lost and is back: what it carried is gone. */
  renew(): void;
  stop(): Promise<void>;
}

const PULL_MESSAGES = 200;
const HEARTBEAT_MS = 2_000;
const CHECK_MS = 5_000;
const PAUSE_MS = [100, 200, 500, 1_000, 2_000];

/**
 * Follows one shard of EVENTS from its end on, for ever. The consumer is made anew at the next sequence whenever it, the
 * server or the connection is lost; only when the stream no longer holds that sequence is a new place announced.
 */
export function openTail(options: TailOptions): Tail {
  const { bus, log, shard } = options;
  let created: number | undefined;
  let next = 0;
  let stopping = false;
  let end: (() => void) | undefined;
  let failures = 0;

  const begin = async (): Promise<ShardConsumer> => {
    if (created === undefined) {
      const state = await readStreamState(bus);
      created = state.created;
      next = state.last + 1;
      options.onPlace({ created, sequence: state.last });
    }
    const opened = await openShardConsumer(bus, shard, next);
    const { state } = opened;
    if (state.created === created && state.first <= next && next <= state.last + 1) return opened;
    opened.remove();
    log.warn(
      { shard, next, first: state.first, last: state.last },
      'the event stream no longer holds the place of the live feed',
    );
    next = state.created === created && next > state.last + 1 ? state.last + 1 : Math.max(1, state.first);
    created = state.created;
    options.onPlace({ created, sequence: next - 1 });
    return openShardConsumer(bus, shard, next);
  };

  const run = async () => {
    const session = await begin();
    try {
      const messages = await session.consumer.consume({
        max_messages: PULL_MESSAGES,
        idle_heartbeat: HEARTBEAT_MS,
      });
      end = () => messages.stop();
      if (stopping) end();
      void endWhenLost(messages);
      const clock = setInterval(() => void noteQuiet(session).catch(() => undefined), CHECK_MS);
      try {
        for await (const message of messages) {
          failures = 0;
          if (message.seq < next) continue;
          next = message.seq + 1;
          options.onMessage(message);
        }
      } finally {
        clearInterval(clock);
      }
    } finally {
      session.remove();
    }
  };

  /** What was delivered reaches to the end of the stream when nothing of the shard is left to deliver. */
  const noteQuiet = async ({ consumer }: ShardConsumer) => {
    const state = await readStreamState(bus);
    const before = next;
    const { num_pending: pending, delivered } = await consumer.info();
    if (state.created !== created || pending > 0 || delivered.stream_seq >= next || before !== next) return;
    if (state.last < next) return;
    next = state.last + 1;
    options.onQuiet(state.last);
  };

  const running = (async () => {
    while (!stopping) {
      try {
        await run();
      } catch (error) {
        if (!stopping) log.warn({ err: error, shard }, 'live feed lost, opening it again');
      }
      end = undefined;
      if (!stopping) await sleep(PAUSE_MS[Math.min(failures++, PAUSE_MS.length - 1)]);
    }
  })();

  return {
    renew: () => end?.(),
    async stop() {
      stopping = true;
      end?.();
      await Promise.race([running, sleep(2_000, undefined, { ref: false })]);
    },
  };
}
