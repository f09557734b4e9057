import { setTimeout as sleep } from 'node:timers/promises';
import type { JsMsg } from '@nats-io/jetstream';
import { errorMessage } from '../runtime/errors.ts';
import type { Logger } from '../runtime/logger.ts';
import { type DurableConsumer, ensureConsumer } from './durable.ts';
import { createGathering } from './gather.ts';
import { endWhenLost } from './lost.ts';
import { ORIGIN_HEADER } from './publish.ts';
import type { StreamName } from './streams.ts';

/** What becomes of a message. */
export type Fate =
  /** Its effects are committed. */
  | { readonly kind: 'done' }
  /** Our neighbours' fault: again after a while, never counted against the message. */
  | { readonly kind: 'retry'; readonly afterMs: number; readonly why: string }
  /** The message's own fault: to the dead letters. */
  | { readonly kind: 'reject'; readonly why: string };

export const done: Fate = { kind: 'done' };
export const retry = (afterMs: number, why: string): Fate => ({ kind: 'retry', afterMs, why });
export const reject = (why: string): Fate => ({ kind: 'reject', why });

export interface BusMessage {
  readonly subject: string;
  readonly sequence: number;
  readonly bytes: Uint8Array;
  readonly redelivered: boolean;
  /** When JetStream stored it, in ms since the epoch. */
  readonly streamedAt: number;
  /** Who published it, where that was said. */
  readonly origin: string | undefined;
}

export interface DeadLetter {
  readonly stream: StreamName;
  readonly subject: string;
  readonly sequence: number;
  readonly streamedAt: number;
  readonly origin: string | undefined;
  readonly bytes: Uint8Array;
  readonly why: string;
}

export interface ConsumeOptions extends DurableConsumer {
  /** The most messages in one call of `handle`, and the most bytes. */
  readonly batchMessages: number;
  readonly batchBytes: number;
  /**
   * How far apart batches begin while messages follow each other closely, in ms; a full one begins at once, and so does a message
   * that comes after a pause. Default 0.
   */
  readonly gatherMs?: number;
  /** The most messages held by this process without a fate; the memory ceiling together with the largest message. */
  readonly maxHeld: number;
  readonly log: Logger;
  /**
   * One fate a message, in the same order. A throw is taken as nobody's fault until the neighbours answer `healthy`. The next
   * batch begins when this one has its fates, or already when `next` is called; at most `MAX_OVERLAP` run at once.
   */
  handle(messages: readonly BusMessage[], next: () => void): Promise<readonly Fate[]>;
  /** Commits the row that lets a message be given up. When it throws, the message stays on the stream. */
  deadLetter(letter: DeadLetter): Promise<void>;
  /** Asks every neighbour that `handle` needs. */
  healthy(): Promise<boolean>;
  readonly onFate?: (fate: Fate['kind']) => void;
}

export interface Consumption {
  /** Stops pulling, lets the running call finish until the deadline, leaves the rest for others. */
  stop(deadlineMs: number): Promise<{ abandoned: number }>;
  running(): boolean;
  readonly held: number;
}

const WORKING_EVERY_MS = 3_000;
/** A message that fails this often alone, with every neighbour healthy, is to blame itself. */
const ATTEMPTS = 5;
const PROBE_PAUSE_MS = 250;
/** Batches without a fate at one time. */
const MAX_OVERLAP = 4;

/** Follows a stream through a durable consumer. The only place where messages are acknowledged. */
export function consume(options: ConsumeOptions): Consumption {
  const { log, bus } = options;
  const held = createGathering<JsMsg>({ ...options, gatherMs: options.gatherMs ?? 0 });
  const inHand = new Set<JsMsg>();
  const batches = new Set<Promise<void>>();
  const attempts = new Map<number, number>();
  let stopping = false;
  let running = false;
  let endPull: (() => void) | undefined;

  const settle = async (message: JsMsg, fate: Fate): Promise<void> => {
    if (fate.kind === 'done') message.ack();
    else if (fate.kind === 'retry') message.nak(fate.afterMs);
    else {
      try {
        await options.deadLetter({
          stream: options.stream,
          subject: message.subject,
          ...placeOf(message),
          bytes: message.data,
          why: fate.why,
        });
        message.term();
        log.warn({ stream: options.stream, sequence: message.seq, why: fate.why }, 'dead letter');
      } catch (error) {
        log.error({ err: error, sequence: message.seq }, 'dead letter not stored');
        message.nak(1_000);
      }
    }
    attempts.delete(message.seq);
    options.onFate?.(fate.kind);
  };

  const untilHealthy = async () => {
    while (!stopping && !(await options.healthy().catch(() => false))) await sleep(PROBE_PAUSE_MS);
  };

  const handle = async (messages: readonly JsMsg[], next: () => void): Promise<void> => {
    try {
      const fates = await options.handle(messages.map(toBusMessage), next);
      if (fates.length !== messages.length)
        throw new Error(`${messages.length} messages and ${fates.length} fates`);
      for (const [index, message] of messages.entries())
        await settle(message, fates[index] ?? retry(0, 'no fate'));
    } catch (error) {
      if (!(await options.healthy().catch(() => false))) {
        log.warn({ err: error, messages: messages.length }, 'a neighbour does not answer, waiting');
        for (const message of messages) message.nak(500);
        options.onFate?.('retry');
        await untilHealthy();
        return;
      }
      const [only] = messages;
      if (messages.length > 1 || !only) {
        for (const message of messages) await handle([message], next);
        return;
      }
      const count = (attempts.get(only.seq) ?? 0) + 1;
      attempts.set(only.seq, count);
      log.error({ err: error, sequence: only.seq, attempt: count }, 'message failed');
      if (count >= ATTEMPTS) await settle(only, reject(`failed ${count} times: ${errorMessage(error)}`));
      else only.nak(200 * count);
    }
  };

  /** Without a fate the messages come again; nothing that goes wrong here may end the process. */
  const finish = async (batch: readonly JsMsg[], next: () => void): Promise<void> => {
    for (const message of batch) inHand.add(message);
    await handle(batch, next).catch((error: unknown) => log.error({ err: error }, 'batch given up'));
    for (const message of batch) inHand.delete(message);
  };

  const work = async () => {
    for (let batch = await held.next(); batch; batch = await held.next()) {
      const { promise: nextMayBegin, resolve: next } = Promise.withResolvers<void>();
      const finished = finish(batch, next);
      batches.add(finished);
      void finished.then(() => {
        batches.delete(finished);
        next();
      });
      await nextMayBegin;
      if (batches.size >= MAX_OVERLAP) await Promise.race(batches);
    }
    await Promise.all(batches);
  };

  const pull = async () => {
    while (!stopping) {
      try {
        await ensureConsumer(options);
        const consumer = await bus.js.consumers.get(options.stream, options.durable);
        const messages = await consumer.consume({
          max_messages: Math.min(options.maxHeld, 300),
          idle_heartbeat: 2_000,
          expires: 10_000,
          callback: held.add,
        });
        running = true;
        endPull = () => messages.stop();
        if (stopping) endPull();
        void endWhenLost(messages);
        await messages.closed();
      } catch (error) {
        if (!stopping) log.warn({ err: error, durable: options.durable }, 'consumer lost, opening it again');
      }
      running = false;
      if (!stopping) await sleep(PROBE_PAUSE_MS);
    }
  };

  const stillWorking = setInterval(() => {
    for (const message of inHand) message.working();
    for (const message of held.waiting()) message.working();
  }, WORKING_EVERY_MS);
  const pulling = pull();
  const working = work();

  return {
    async stop(deadlineMs) {
      stopping = true;
      running = false;
      endPull?.();
      held.end();
      const finished = await Promise.race([
        working.then(() => true),
        sleep(deadlineMs, false, { ref: false }),
      ]);
      clearInterval(stillWorking);
      for (const message of held.waiting()) message.nak();
      await Promise.race([pulling, sleep(500, undefined, { ref: false })]);
      return { abandoned: finished ? 0 : inHand.size };
    },
    running: () => running && bus.connected(),
    get held() {
      return held.size + inHand.size;
    },
  };
}

const toBusMessage = (message: JsMsg): BusMessage => ({
  subject: message.subject,
  ...placeOf(message),
  bytes: message.data,
  redelivered: message.redelivered,
});

const placeOf = (message: JsMsg) => ({
  sequence: message.seq,
  streamedAt: Number(message.timestampNanos / 1_000_000n),
  origin: message.headers?.get(ORIGIN_HEADER) || undefined,
});
