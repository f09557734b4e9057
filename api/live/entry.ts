import type { JsMsg } from '@nats-io/jetstream';
import { EventError, type TelemetryEvent } from '#core/bus/events.ts';
import { type OpenEvents, openEvents } from '#core/bus/telemetry-batch.ts';
import { type CursorSealer, type Position, WHOLE } from './cursor.ts';
import { type LiveEvent, type LiveFilter, type LiveKind, matches } from './filter.ts';

/** Where an entry was read. */
export interface EntrySource {
  readonly shard: number;
  /** When the stream was made, in ms since the epoch. */
  readonly created: number;
  readonly sealer: CursorSealer;
}

/** A message as the stream has it. */
export interface StoredMessage {
  readonly subject: string;
  readonly seq: number;
  /** When the stream took it, in ms since the epoch. */
  readonly at: number;
  readonly data: Uint8Array;
  /** What its publisher calls it: the same message published twice has the same id. */
  readonly id?: string | undefined;
}

/** What the bus library hands over, as we keep it. */
export const storedMessage = ({ subject, seq, info, data, headers }: JsMsg): StoredMessage => ({
  subject,
  seq,
  at: Math.floor(info.timestampNanos / 1e6),
  // A copy: the library's buffer holds other messages too.
  data: Buffer.from(data),
  id: headers?.get('Nats-Msg-Id'),
});

/** The events of one tenant in a message, which follow one another. */
export interface EntryPart {
  readonly tenantId: number;
  /** The place of the first among all events of the message. */
  readonly first: number;
  readonly count: number;
}

/**
 * One message of EVENTS. What it holds is found out when somebody asks, an event is decoded when somebody wants it, and its
 * cursor sealed once however many subscribers it goes to.
 */
export class Entry {
  readonly sequence: number;
  /** When the stream took it, in ms since the epoch. */
  readonly at: number;
  readonly bytes: number;
  /** Of its events, as its subject says. */
  readonly kind: string;
  /** What its publisher calls it; undefined where it calls it nothing. */
  readonly id: string | undefined;
  readonly #source: EntrySource;
  readonly #message: StoredMessage;
  #opened = false;
  #events: OpenEvents | undefined;
  #others: readonly OtherEvent[] | undefined;
  #parts: readonly EntryPart[] | undefined;
  #cursors: string[] | undefined;

  constructor(source: EntrySource, message: StoredMessage) {
    this.#source = source;
    this.sequence = message.seq;
    this.at = message.at;
    this.id = message.id || undefined;
    this.kind = message.subject.slice(message.subject.lastIndexOf('.') + 1);
    this.bytes = message.data.length;
    this.#message = message;
  }

  /** The same message, of which nothing is found out yet: little more than its bytes. */
  unopened(): Entry {
    return new Entry(this.#source, this.#message);
  }

  get created(): number {
    return this.#source.created;
  }

  /** Whose events these are; nothing for a message that is none of ours. */
  get parts(): readonly EntryPart[] {
    this.#parts ??= partsOf(this.#open());
    return this.#parts;
  }

  /** The tenant's part; undefined when it has none of the kind. */
  partOf(tenantId: number, kind: LiveKind): EntryPart | undefined {
    if (this.kind !== kind) return undefined;
    return this.parts.find((part) => part.tenantId === tenantId);
  }

  /** How many events there are, of all tenants. */
  get count(): number {
    const last = this.parts.at(-1);
    return last ? last.first + last.count : 0;
  }

  /** Whether the event at `index` lies behind a position on the same stream. */
  isBehind(position: Position, index: number): boolean {
    const { sequence } = position;
    return sequence < this.sequence || (sequence === this.sequence && position.index < index);
  }

  /** The id of the device that an event is about; no device has -1. */
  deviceIdOf(index: number): number {
    const opened = this.#open();
    const id = opened?.kind === 'telemetry' ? opened.deviceIds[index] : this.#other(index)?.deviceId;
    return id ?? -1;
  }

  /** The key of the device that an event is about; empty where there is none. */
  deviceOf(index: number): string {
    const opened = this.#open();
    return opened?.kind === 'telemetry' ? opened.deviceOf(index) : (this.#other(index)?.device ?? '');
  }

  /** The event at a place of a part if the filter wants it; others are decoded only as far as that takes. @throws EventError */
  wanted(index: number, filter: LiveFilter): LiveEvent | undefined {
    if (filter.deviceIds && !filter.deviceIds.has(this.deviceIdOf(index))) return undefined;
    if (filter.deviceKeys && !filter.deviceKeys.has(this.deviceOf(index))) return undefined;
    const event = this.event(index);
    return matches(filter, event) ? event : undefined;
  }

  /** The event at a place of a part. @throws EventError when there is none */
  event(index: number): LiveEvent {
    const opened = this.#open();
    if (opened?.kind === 'telemetry') return opened.event(index);
    const event = this.#other(index);
    if (!event) throw new EventError(`no event ${index}`);
    return event;
  }

  /** The cursor behind the event at `index` of a part. */
  cursor({ tenantId, first, count }: EntryPart, index: number): string {
    this.#cursors ??= [];
    const known = this.#cursors[index];
    if (known !== undefined) return known;
    const isLast = index + 1 >= first + count;
    const { sealer, shard, created } = this.#source;
    const cursor = sealer.seal({
      tenantId,
      shard,
      created,
      sequence: this.sequence,
      index: isLast ? WHOLE : index,
      at: this.at,
      partial: false,
    });
    this.#cursors[index] = cursor;
    return cursor;
  }

  /** An event that is no reading. */
  #other(index: number): OtherEvent | undefined {
    this.#others ??= otherEventsOf(this.#open());
    return this.#others[index];
  }

  #open(): OpenEvents | undefined {
    if (this.#opened) return this.#events;
    this.#opened = true;
    try {
      this.#events = openEvents(this.#message.data);
    } catch (error) {
      if (!(error instanceof EventError)) throw error;
    }
    return this.#events;
  }
}

function partsOf(opened: OpenEvents | undefined): readonly EntryPart[] {
  if (opened?.kind === 'telemetry') return opened.parts;
  if (!isOther(opened)) return [];
  let first = 0;
  return opened.parts.map(({ tenantId, events: { length: count } }) => {
    first += count;
    return { tenantId, first: first - count, count };
  });
}

type OtherEvent = Exclude<LiveEvent, TelemetryEvent>;
type OpenOther = Extract<OpenEvents, { readonly kind: Exclude<LiveKind, 'telemetry'> }>;

const isOther = (opened: OpenEvents | undefined): opened is OpenOther =>
  opened?.kind === 'presence' || opened?.kind === 'shadow' || opened?.kind === 'command';

/** In the order of the parts. */
function otherEventsOf(opened: OpenEvents | undefined): readonly OtherEvent[] {
  const events: OtherEvent[] = [];
  for (const part of isOther(opened) ? opened.parts : []) events.push(...part.events);
  return events;
}
