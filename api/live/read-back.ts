import { setTimeout as sleep } from 'node:timers/promises';
import type { Bus } from '#core/bus/connect.ts';
import { UnavailableError } from '#core/runtime/errors.ts';
import { type CursorSealer, type Position, WHOLE } from './cursor.ts';
import { Entry, storedMessage } from './entry.ts';
import { openShardConsumer, readStreamState, type ShardConsumer } from './stream.ts';

/** What reading back finds, in order. */
export type Found =
  | { readonly type: 'entry'; readonly entry: Entry }
  /** Messages behind `from` may be gone; reading goes on behind `to`. What was published after `until` (ms) is there. */
  | { readonly type: 'lost'; readonly from: Position; readonly to: Position; readonly until: number }
  /** Everything of the shard up to here was found: there is nothing more to read now. */
  | { readonly type: 'end'; readonly position: Position };

export interface ReadBackOptions {
  readonly bus: Bus;
  readonly shard: number;
  readonly sealer: CursorSealer;
  readonly from: Position;
  readonly signal: AbortSignal;
}

const BATCH = 32;
const FETCH_EXPIRES_MS = 2_000;
const MAX_PAUSE_MS = 2_000;

/**
 * Reads a shard from a place to its present end, at the reader's pace: the next messages are asked for when the last ones
 * were taken. An unreachable server is waited for. Messages that the stream drops meanwhile are told as `lost`.
 */
export async function* readBack(options: ReadBackOptions): AsyncGenerator<Found> {
  let position = options.from;
  for (let failures = 0; !options.signal.aborted; failures += 1) {
    let session: ShardConsumer | undefined;
    try {
      session = await openShardConsumer(options.bus, options.shard, nextSequence(position));
      for await (const found of readSession(options, session, position)) {
        failures = 0;
        yield found;
        if (found.type === 'end') return;
        position = found.type === 'lost' ? found.to : placeOf(found.entry);
      }
    } catch (error) {
      if (!(error instanceof UnavailableError)) throw error;
    } finally {
      session?.remove();
    }
    await pause(Math.min(100 * 2 ** failures, MAX_PAUSE_MS), options.signal);
  }
}

/** Until the end, or until the consumer is lost: then it simply returns, and is opened again where it was. */
async function* readSession(
  { bus, shard, sealer, signal }: ReadBackOptions,
  { consumer, state, pending: waiting }: ShardConsumer,
  from: Position,
): AsyncGenerator<Found> {
  const { created } = state;
  let position = from;
  const anew = created !== from.created;
  const gone = state.first > nextSequence(from);
  // A server that came back from a copy may not have what it had.
  const cutShort = state.last + 1 < nextSequence(from);
  if (anew || gone || cutShort) {
    const sequence = cutShort && !anew ? state.last : Math.max(0, state.first - 1);
    position = { created, sequence, index: WHOLE };
    yield { type: 'lost', from, to: position, until: state.oldestAt?.getTime() ?? Date.now() };
    if (anew || cutShort) return;
  }
  let pending = waiting;
  while (pending > 0 && !signal.aborted) {
    const batch: Entry[] = [];
    const messages = await consumer
      .fetch({ max_messages: Math.min(BATCH, pending), expires: FETCH_EXPIRES_MS })
      .catch(unavailable);
    try {
      for await (const message of messages) {
        pending = message.info.pending;
        if (message.seq < nextSequence(position)) continue;
        batch.push(new Entry({ shard, created, sealer }, storedMessage(message)));
      }
    } catch {
      return;
    }
    if (batch.length === 0) return;
    // What the stream has dropped by now may have been dropped before it was delivered.
    const now = await readStreamState(bus);
    const first = batch[0];
    if (now.created !== created) return;
    if (first && now.first > nextSequence(position) && first.sequence > nextSequence(position)) {
      const to = { created, sequence: first.sequence - 1, index: WHOLE };
      yield { type: 'lost', from: position, to, until: first.at };
    }
    for (const entry of batch) {
      yield { type: 'entry', entry };
      position = placeOf(entry);
    }
  }
  if (signal.aborted) return;
  const end = Math.max(position.sequence, state.last);
  yield {
    type: 'end',
    position: end === position.sequence ? position : { created, sequence: end, index: WHOLE },
  };
}

/** A message of which a part was delivered is wanted again. */
const nextSequence = ({ sequence, index }: Position): number =>
  Math.max(1, index === WHOLE ? sequence + 1 : sequence);

const placeOf = (entry: Entry): Position => ({
  created: entry.created,
  sequence: entry.sequence,
  index: WHOLE,
});

function unavailable(cause: unknown): never {
  throw new UnavailableError('the event stream', { cause });
}

/** Waits, but not beyond an abort. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal }).catch(() => undefined);
}
