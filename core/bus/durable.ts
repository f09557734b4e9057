import { AckPolicy, DeliverPolicy, JetStreamApiCodes, JetStreamApiError } from '@nats-io/jetstream';
import { nanos } from '@nats-io/nats-core';
import type { Bus } from './connect.ts';
import type { StreamName } from './streams.ts';

export interface DurableConsumer {
  readonly bus: Bus;
  readonly stream: StreamName;
  /** Replicas that name the same durable consumer share its messages. */
  readonly durable: string;
  /** The subjects wanted, wildcards allowed. Default: all of the stream. */
  readonly subjects?: readonly string[];
  /** The most messages without an answer, of all replicas. */
  readonly maxHeld: number;
}

const ACK_WAIT_MS = 10_000;

/** Makes the consumer, or gives the one there is its limits and subjects. */
export async function ensureConsumer(options: DurableConsumer): Promise<void> {
  const { jsm } = options.bus;
  const wanted = {
    ...{ ack_wait: nanos(ACK_WAIT_MS), max_ack_pending: options.maxHeld, max_deliver: -1 },
    ...(options.subjects && { filter_subjects: [...options.subjects] }),
  };
  try {
    const { config } = await jsm.consumers.info(options.stream, options.durable);
    const differs =
      config.max_ack_pending !== wanted.max_ack_pending ||
      config.ack_wait !== wanted.ack_wait ||
      config.filter_subjects?.join() !== wanted.filter_subjects?.join();
    if (differs) await jsm.consumers.update(options.stream, options.durable, wanted);
  } catch (error) {
    if (!(error instanceof JetStreamApiError) || error.code !== JetStreamApiCodes.ConsumerNotFound)
      throw error;
    await jsm.consumers.add(options.stream, {
      durable_name: options.durable,
      ack_policy: AckPolicy.Explicit,
      deliver_policy: DeliverPolicy.All,
      ...wanted,
    });
  }
}
