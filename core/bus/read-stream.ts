import { AckPolicy, DeliverPolicy, type JsMsg } from '@nats-io/jetstream';
import { nanos, nuid } from '@nats-io/nats-core';
import { UnavailableError } from '../runtime/errors.ts';
import type { Bus } from './connect.ts';
import { type StreamPlace, streamState } from './follow.ts';
import type { StreamName } from './streams.ts';

export interface ReadStreamOptions {
  readonly bus: Bus;
  readonly stream: StreamName;
  readonly subject: string;
  /** Everything behind this is wanted; from the beginning where the stream has been made anew since. */
  readonly after: StreamPlace;
  /** How long it may take, in milliseconds. */
  readonly timeoutMs: number;
  onMessage(message: JsMsg): void;
}

const PAGE = 500;
const PAGE_WAIT_MS = 1_000;
const FORGOTTEN_AFTER_MS = 10_000;

/**
 * Reads what a stream holds of one subject now, once, in order.
 * @returns the place up to which nothing is missing
 * @throws UnavailableError when that takes too long; the beginning may have been read by then
 */
export async function readStream(options: ReadStreamOptions): Promise<StreamPlace> {
  const { bus, stream, subject } = options;
  const deadline = Date.now() + options.timeoutMs;
  const { createdAt, last } = await streamState(bus, stream);
  const after = createdAt === options.after.createdAt ? options.after.sequence : 0;
  const newest = await bus.jsm.streams.getMessage(stream, { last_by_subj: subject });
  if (!newest || newest.seq <= after) return { createdAt, sequence: Math.max(after, last) };
  const info = await bus.jsm.consumers.add(stream, {
    name: `read-${nuid.next()}`,
    ack_policy: AckPolicy.None,
    deliver_policy: DeliverPolicy.StartSequence,
    opt_start_seq: after + 1,
    filter_subject: subject,
    inactive_threshold: nanos(FORGOTTEN_AFTER_MS),
    mem_storage: true,
    num_replicas: 1,
  });
  try {
    const consumer = bus.js.consumers.getConsumerFromInfo(info);
    let read = after;
    while (read < newest.seq) {
      if (Date.now() > deadline) throw new UnavailableError(`JetStream, asked for ${subject},`);
      const before = read;
      const page = await consumer.fetch({ max_messages: PAGE, expires: PAGE_WAIT_MS });
      for await (const message of page) {
        read = message.seq;
        options.onMessage(message);
        if (read >= newest.seq) break;
      }
      // What was wanted has left the stream meanwhile.
      if (read === before && (await consumer.info()).num_pending === 0) break;
    }
    return { createdAt, sequence: Math.max(read, last) };
  } finally {
    void bus.jsm.consumers.delete(stream, info.name).catch(() => undefined);
  }
}
