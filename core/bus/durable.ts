import { AckPolicy, DeliverPolicy, JetStreamApiCodes, JetStreamApiError } from '@nats-io/jetstream';
import { nanos } from '@nats-io/nats-core';
import type { Bus } from './connect.ts';
import type { StreamName } from './streams.ts';

export interface DurableConsumer {
  readonly bus: Bus;
  readonly stream: StreamName;
  /** Replicas that name the same durable consumer share its messages. */
  readonly durable: string;
  readonly filter?: string;
  /** The most messages without an answer, of all replicas. */
  readonly maxHeld: number;
}

const ACK_WAIT_MS = 10_000;

/** Makes the consumer of everything on the stream, or gives the one there is its limits. */
export async function ensureConsumer(options: DurableConsumer): Promise<void> {
  const { jsm } = options.bus;
  const limits = { ack_wait: nanos(ACK_WAIT_MS), max_ack_pending: options.maxHeld, max_deliver: -1 };
  try {
    const { config } = await jsm.consumers.info(options.stream, options.durable);
    if (config.max_ack_pending !== limits.max_ack_pending || config.ack_wait !== limits.ack_wait) {
      await jsm.consumers.update(options.stream, options.durable, limits);
    }
  } catch (error) {
    if (!(error instanceof JetStreamApiError) || error.code !== JetStreamApiCodes.ConsumerNotFound)
      throw error;
    await jsm.consumers.add(options.stream, {
      durable_name: options.durable,
      ack_policy: AckPolicy.Explicit,
      deliver_policy: DeliverPolicy.All,
      ...limits,
      ...(options.filter && { filter_subject: options.filter }),
    });
  }
}
