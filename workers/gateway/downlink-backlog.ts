import type { Bus } from '#core/bus/connect.ts';
import type { StreamPlace } from '#core/bus/follow.ts';
import { readStream } from '#core/bus/read-stream.ts';
import { downlinkSubject } from '#core/bus/subjects.ts';
import { shardOf } from '#core/fleet/shards.ts';
import { createBatch } from '#core/runtime/batch.ts';
import { type AddressedMessage, readDownlink } from './downlink-follower.ts';
import type { DownlinkMessage } from './downlink-session.ts';

interface Request {
  readonly tenant: string;
  readonly device: string;
  readonly after: StreamPlace;
}

/** What a device was sent behind a place. */
export interface Missed {
  /** In order; the first of many. */
  readonly messages: readonly DownlinkMessage[];
  /** Up to there nothing is missing. */
  readonly upTo: StreamPlace;
}

export interface DownlinkBacklog {
  /** Reads what the stream still holds for a device. Rejects when the bus does not answer within 10 s. */
  read(request: Request): Promise<Missed>;
}

/** More than a session can take at once. */
const MAX_MESSAGES = 300;
const TIMEOUT_MS = 10_000;
const MAX_WAITING = 20_000;

/** Reads DOWNLINK once for all devices of a shard that ask at about the same time. */
export function createDownlinkBacklog(bus: Bus, shards: number): DownlinkBacklog {
  const readers = new Map<number, (request: Request) => Promise<Missed>>();

  const open = (shard: number) =>
    createBatch<Request, Missed>({
      name: 'JetStream, asked for messages to devices,',
      maxItems: 1_000,
      waitMs: 5,
      maxWaiting: MAX_WAITING,
      timeoutMs: TIMEOUT_MS + 1_000,
      keyOf: ({ tenant, device }) => `${tenant}/${device}`,
      run: (requests) => readFor(bus, shard, requests),
    });

  return {
    read(request) {
      const shard = shardOf(request.tenant, shards);
      let reader = readers.get(shard);
      if (!reader) {
        reader = open(shard);
        readers.set(shard, reader);
      }
      return reader(request);
    },
  };
}

async function readFor(bus: Bus, shard: number, requests: readonly Request[]): Promise<Missed[]> {
  const found = new Map<string, { messages: AddressedMessage[]; cut: boolean }>();
  for (const { tenant, device } of requests) found.set(`${tenant}/${device}`, { messages: [], cut: false });
  const upTo = await readStream({
    ...{ bus, stream: 'DOWNLINK', subject: downlinkSubject(shard), timeoutMs: TIMEOUT_MS },
    after: earliest(requests.map((request) => request.after)),
    onMessage(message) {
      const addressed = readDownlink(message.data, { createdAt: '', sequence: message.seq });
      const entry = addressed && found.get(`${addressed.tenant}/${addressed.device}`);
      if (!addressed || !entry) return;
      if (entry.messages.length < MAX_MESSAGES) entry.messages.push(addressed);
      else entry.cut = true;
    },
  });
  return requests.map(({ tenant, device, after }) => {
    const { messages = [], cut = false } = found.get(`${tenant}/${device}`) ?? {};
    const wanted = messages
      .map((message) => ({ ...message, place: { ...message.place, createdAt: upTo.createdAt } }))
      .filter(({ place }) => place.createdAt !== after.createdAt || place.sequence > after.sequence);
    const last = messages.at(-1);
    return {
      messages: wanted,
      upTo: cut && last ? { createdAt: upTo.createdAt, sequence: last.place.sequence } : upTo,
    };
  });
}

/** Places of a stream that has been made anew meanwhile have nothing in common but its beginning. */
function earliest(places: readonly StreamPlace[]): StreamPlace {
  const [createdAt = '', ...others] = new Set(places.map((place) => place.createdAt));
  if (others.length > 0) return { createdAt: '', sequence: 0 };
  return { createdAt, sequence: Math.min(...places.map((place) => place.sequence)) };
}
