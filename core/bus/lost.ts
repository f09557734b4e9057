import type { ConsumerMessages } from '@nats-io/jetstream';

/**
 * Stops the messages when their consumer or stream is gone: the client library would keep asking for ever. Whoever waits for
 * `closed()` then opens another.
 */
export async function endWhenLost(messages: ConsumerMessages): Promise<void> {
  for await (const status of messages.status()) {
    switch (status.type) {
      case 'heartbeats_missed':
      case 'consumer_not_found':
      case 'consumer_deleted':
      case 'stream_not_found':
      case 'no_responders':
        messages.stop();
        return;
    }
  }
}
