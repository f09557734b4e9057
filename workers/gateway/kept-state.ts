import { z } from 'zod';
import type { DownlinkSession } from './downlink-session.ts';
import type { Inbox } from './inbox.ts';

const whole = z.number().int().nonnegative();
const packetId = z.number().int().min(1).max(65_535);

const schema = z.object({
  /** Of this layout. */
  v: z.literal(1),
  filters: z.array(
    z.object({
      filter: z.string(),
      qos: z.union([z.literal(0), z.literal(1)]),
      identifier: whole.optional(),
      asPublished: z.boolean().optional(),
    }),
  ),
  /** Everything for the device up to there was handed to the session. */
  place: z.object({ createdAt: z.string(), sequence: whole }).optional(),
  /** What lies before that place and the device has not acknowledged: packet id and sequence; id 0 was not sent yet. */
  pending: z.array(z.tuple([z.union([z.literal(0), packetId]), whole])),
  /** The version of what is retained that the device has acknowledged. */
  retained: whole.optional(),
  /** Packet ids of QoS 2 messages that are stored and that the device has not released. */
  unreleased: z.array(packetId),
});

/** What of a session is written down, so that any gateway can carry it on. */
export type KeptState = z.infer<typeof schema>;

/** Undefined for what this version cannot carry on; the device then begins a new session. */
export function readKeptState(value: unknown): KeptState | undefined {
  return schema.safeParse(value).data;
}

export function keptStateOf(state: { readonly downlink: DownlinkSession; readonly inbox: Inbox }): KeptState {
  const { downlink, inbox } = state;
  return {
    ...{ v: 1, filters: downlink.filters.all(), pending: downlink.pending(), unreleased: inbox.stored() },
    ...(downlink.place && { place: downlink.place }),
    ...(downlink.retained > 0 && { retained: downlink.retained }),
  };
}
