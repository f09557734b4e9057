import { JetStreamApiCodes, JetStreamApiError } from '@nats-io/jetstream';
import type { Bus } from './connect.ts';
import type { StreamName } from './streams.ts';
import type { UplinkStream } from './uplink-streams.ts';

/**
 * Until when everything on a work queue has been answered, in ms since the epoch. What was answered is gone from such a stream, so
 * its oldest message is the first that was not.
 */
export async function queueAnsweredUntil({ jsm }: Bus, stream: UplinkStream): Promise<number> {
  const now = Date.now();
  const { state } = await jsm.streams.info(stream);
  return state.messages === 0 ? now : Math.min(now, Date.parse(state.first_ts));
}

/**
 * Until when a durable consumer has answered everything it wanted of a stream, in ms since the epoch. What it was given and still
 * has in hand counts as not answered. Undefined where nobody can say: before its first answer, or when the last message that it
 * answered without leaving one out is no longer kept.
 */
export async function consumerAnsweredUntil(
  { jsm }: Bus,
  stream: StreamName,
  durable: string,
): Promise<number | undefined> {
  const now = Date.now();
  const info = await jsm.consumers.info(stream, durable).catch((error: unknown) => {
    if (error instanceof JetStreamApiError && error.code === JetStreamApiCodes.ConsumerNotFound)
      return undefined;
    throw error;
  });
  if (!info) return undefined;
  if (info.num_pending + info.num_ack_pending === 0) return now;
  const { stream_seq: seq } = info.ack_floor;
  const last = seq > 0 ? await jsm.streams.getMessage(stream, { seq }) : null;
  return last ? Math.min(now, last.time.getTime()) : undefined;
}
