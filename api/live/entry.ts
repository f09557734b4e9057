import type { JsMsg } from '@nats-io/jetstream';
import { decodeEvents, EventError, type EventMessage } from '#core/bus/events.ts';
import type { CursorSealer } from './cursor.ts';
import { WHOLE } from './cursor.ts';

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
  data,
  id: headers?.get('Nats-Msg-Id'),
});

const HEAD_BYTES = 160;
const HEAD = /^\{"v":1,"tenant":"[a-z0-9-]+","tenantId":(\d+),/;

/**
 * One message of EVENTS. It is decoded when somebody wants its events, and its cursors are sealed once however many
 * subscribers it goes to.
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
  #data: Buffer | undefined;
  #message: EventMessage | undefined;
  #tenantId: number | undefined;
  #cursors: string[] | undefined;

  constructor(source: EntrySource, message: StoredMessage) {
    this.#source = source;
    this.sequence = message.seq;
    this.at = message.at;
    this.id = message.id || undefined;
    this.kind = message.subject.slice(message.subject.lastIndexOf('.') + 1);
    this.bytes = message.data.length;
    this.#data = Buffer.from(message.data);
  }

  get created(): number {
    return this.#source.created;
  }

  /** Whose events these are, without decoding them; -1 for a message that is none of ours. */
  get tenantId(): number {
    this.#tenantId ??= this.#readTenantId();
    return this.#tenantId;
  }

  /** Undefined for a message that is none of ours. */
  get message(): EventMessage | undefined {
    if (this.#data) {
      try {
        this.#message = decodeEvents(this.#data);
      } catch (error) {
        if (!(error instanceof EventError)) throw error;
      }
      this.#data = undefined;
    }
    return this.#message;
  }

  /** The cursor behind the event at `index`. */
  cursor(index: number): string {
    this.#cursors ??= [];
    const known = this.#cursors[index];
    if (known !== undefined) return known;
    const isLast = index + 1 >= (this.message?.events.length ?? 0);
    const { sealer, shard, created } = this.#source;
    const cursor = sealer.seal({
      tenantId: this.tenantId,
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

  #readTenantId(): number {
    const [, digits] = this.#data ? (HEAD.exec(this.#data.toString('latin1', 0, HEAD_BYTES)) ?? []) : [];
    return digits ? Number(digits) : (this.message?.tenantId ?? -1);
  }
}
