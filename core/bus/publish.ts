import { createInbox, headers, type MsgHdrs } from '@nats-io/nats-core';
import { UnavailableError } from '../runtime/errors.ts';
import type { Logger } from '../runtime/logger.ts';
import type { Bus } from './connect.ts';

/** Where JetStream keeps the message, and whether it had it already under this id. */
export interface PubAck {
  readonly stream: string;
  readonly seq: number;
  readonly duplicate: boolean;
}

export interface Publisher {
  /**
   * Resolves when JetStream has stored the message. A missing answer, a refusal (stream full) or a lost connection
   * is tried again under the same id, for ever: whoever calls bounds how much may wait.
   * @throws UnavailableError only when the publisher is closed before the answer
   */
  publish(subject: string, payload: Uint8Array, id: string): Promise<PubAck>;
  /** Messages sent or waiting to be sent again, without an answer so far. */
  readonly pending: number;
  /** When the oldest of them was first sent, in ms since the epoch; undefined when nothing waits. */
  oldestPendingAt(): number | undefined;
  close(): void;
}

interface Pending {
  readonly subject: string;
  readonly payload: Uint8Array;
  readonly headers: MsgHdrs;
  readonly firstSentAt: number;
  sendAgainAt: number;
  resolve(ack: PubAck): void;
  reject(error: Error): void;
}

interface PubAckAnswer {
  stream?: string;
  seq?: number;
  duplicate?: boolean;
  error?: { description?: string };
}

/** Header that names who published a message. */
export const ORIGIN_HEADER = 'Fleetgraph-Origin';
/** No answer for this long: sent again. */
const ANSWER_TIMEOUT_MS = 3_000;
/** Refused: sent again after this long. */
const REFUSED_PAUSE_MS = 250;
const SWEEP_MS = 100;

/**
 * Publishes with one reply inbox for all answers: the client library's own `publish` sets up a request each
 * time, which costs several times the publish itself.
 * @param origin who publishes, as the messages will say
 */
export function createPublisher(bus: Bus, log: Logger, origin?: string): Publisher {
  const { connection } = bus;
  const inbox = createInbox();
  const waiting = new Map<number, Pending>();
  let next = 0;
  let refusals = 0;

  const send = (token: number, message: Pending) => {
    message.sendAgainAt = Date.now() + ANSWER_TIMEOUT_MS;
    if (!bus.connected()) return;
    connection.publish(message.subject, message.payload, {
      reply: `${inbox}.${token}`,
      headers: message.headers,
    });
  };

  const subscription = connection.subscribe(`${inbox}.*`, {
    callback(error, answer) {
      if (error) return;
      const token = Number(answer.subject.slice(inbox.length + 1));
      const message = waiting.get(token);
      if (!message) return;
      const ack = answer.data.length > 0 ? (answer.json() as PubAckAnswer) : {};
      if (ack.seq !== undefined && ack.stream !== undefined && !ack.error) {
        waiting.delete(token);
        message.resolve({ stream: ack.stream, seq: ack.seq, duplicate: ack.duplicate === true });
        return;
      }
      if (refusals++ % 100 === 0) {
        log.warn(
          { subject: message.subject, why: ack.error?.description ?? 'nobody stores this subject yet' },
          'publish refused, trying again',
        );
      }
      message.sendAgainAt = Date.now() + REFUSED_PAUSE_MS;
    },
  });

  const sendOverdue = (all: boolean) => {
    if (!bus.connected()) return;
    const now = Date.now();
    for (const [token, message] of waiting) if (all || message.sendAgainAt <= now) send(token, message);
  };
  const sweep = setInterval(() => sendOverdue(false), SWEEP_MS);
  bus.onReconnect(() => sendOverdue(true));

  return {
    publish(subject, payload, id) {
      return new Promise((resolve, reject) => {
        const token = next++;
        const head = headers();
        head.set('Nats-Msg-Id', id);
        if (origin !== undefined) head.set(ORIGIN_HEADER, origin);
        const message = {
          subject,
          payload,
          headers: head,
          firstSentAt: Date.now(),
          sendAgainAt: 0,
          resolve,
          reject,
        };
        waiting.set(token, message);
        send(token, message);
      });
    },
    get pending() {
      return waiting.size;
    },
    oldestPendingAt() {
      for (const message of waiting.values()) return message.firstSentAt;
      return undefined;
    },
    close() {
      clearInterval(sweep);
      subscription.unsubscribe();
      for (const message of waiting.values()) message.reject(new UnavailableError('JetStream'));
      waiting.clear();
    },
  };
}
