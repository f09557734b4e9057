import type { StreamPlace } from '#core/bus/follow.ts';
import type { UserProperty } from '#core/bus/user-properties.ts';
import type { DownlinkLeaf } from '#core/mqtt/topics.ts';
import { DownlinkFilters } from './downlink-filters.ts';
import { type DownlinkLink, DownlinkWriter } from './downlink-link.ts';
import type { KeptState } from './kept-state.ts';
import type { Subscription } from './protocol/read-packets.ts';
import { REASON } from './protocol/reason.ts';
import { RetainedState } from './retained-state.ts';
import { TabledMessages } from './tabled-messages.ts';

/** A message to a device. */
export interface DownlinkMessage {
  readonly leaf: DownlinkLeaf;
  readonly qos: 0 | 1;
  readonly retain: boolean;
  readonly payload: Buffer;
  /** Where it lies on DOWNLINK; undefined for what was read from the tables. */
  readonly place: StreamPlace | undefined;
  /** What the tables know it by; see `DownlinkEnvelope`. */
  readonly id?: string | undefined;
  /** Of the state that it is; see `DownlinkEnvelope`. */
  readonly version?: number | undefined;
  /** It was there before the device subscribed: the retain flag says so. */
  readonly stored?: boolean | undefined;
  /** In ms since the epoch; see `DownlinkEnvelope`. */
  readonly expiresAt?: number | undefined;
  readonly contentType?: string | undefined;
  readonly userProperties?: readonly UserProperty[] | undefined;
}

/**
 * `later`: it will be read again once what lies before it was sent. `repeated`: this connection had it already. `superseded`: a
 * newer version took its place before it was sent.
 */
export type DownlinkOutcome =
  | ('sent' | 'queued' | 'later' | 'repeated' | 'superseded')
  | ('not_subscribed' | 'expired' | 'too_large');

export interface DownlinkOptions {
  /** Told about each message that leaves the queue. */
  onOutcome(outcome: DownlinkOutcome): void;
  /** The session lacks messages and has room for them: `caughtUp` is to be called. */
  onBehind(session: DownlinkSession): void;
  /** The session lacks messages that the tables have and has room for them: `beginTables` is to be called. */
  onLacking(session: DownlinkSession): void;
  /** The device has a message that the tables know: it acknowledged it or, with QoS 0, it was written to its connection. */
  onReceived(id: string, leaf: DownlinkLeaf): void;
}

/** Sent and not acknowledged by the device; fewer where it says so itself. */
const MAX_INFLIGHT = 16;
/** Waiting for room among those. What does not fit is read again from the stream later. */
const MAX_QUEUED = 128;

/**
 * What a device is subscribed to and what it has not acknowledged: the part of a session that outlives its
 * connection when the device asked for that.
 */
export class DownlinkSession {
  readonly filters: DownlinkFilters;
  readonly #device: string;
  readonly #inflight = new Map<number, DownlinkMessage>();
  readonly #queued: DownlinkMessage[] = [];
  readonly #options: DownlinkOptions;
  #nextId = 1;
  #writer: DownlinkWriter | undefined;
  /** Everything for the device up to there was handed to the session. */
  #place: StreamPlace | undefined;
  /** Sequences before that place whose messages are wanted again, and the packet id they had; 0 for none. */
  readonly #wanted = new Map<number, number>();
  /** Messages are missing behind the place; until they are here, newer ones wait on the stream. */
  #behind = false;
  #newestSkipped = 0;
  readonly #tabled = new TabledMessages();
  #retained = new RetainedState();
  #changes = 0;

  constructor(tenant: string, device: string, options: DownlinkOptions) {
    this.#device = device;
    this.#options = options;
    this.filters = new DownlinkFilters(tenant, device);
  }

  /** Counts what would be written down differently. */
  get changes(): number {
    return this.#changes + this.filters.changes;
  }

  get place(): StreamPlace | undefined {
    return this.#place;
  }

  /** The version of what is retained that the device has; 0 for none. */
  get retained(): number {
    return this.#retained.acknowledged;
  }

  /** What lies before the place, is not acknowledged, and is not known to the tables; see `KeptState`. */
  pending(): [packetId: number, sequence: number][] {
    const unacknowledged: [number, DownlinkMessage][] = [
      ...this.#inflight,
      ...this.#queued.map((message): [number, DownlinkMessage] => [0, message]),
    ];
    return [
      ...unacknowledged.flatMap(([packetId, { id, place }]): [number, number][] =>
        place && id === undefined ? [[packetId, place.sequence]] : [],
      ),
      ...[...this.#wanted].map(([sequence, packetId]): [number, number] => [packetId, sequence]),
    ];
  }

  /** Begins where another gateway left off. */
  restore(kept: Pick<KeptState, 'filters' | 'place' | 'pending' | 'retained'>): void {
    for (const { filter, qos, identifier, asPublished } of kept.filters)
      this.filters.add(filter, qos, identifier, asPublished);
    this.#place = kept.place;
    this.#retained = new RetainedState(kept.retained);
    for (const [packetId, sequence] of kept.pending) this.#wanted.set(sequence, packetId);
  }

  /** What the device is answered; see `DownlinkFilters.add`. The tables are to be read then. */
  subscribe({ filter, qos, retainHandling, retainAsPublished }: Subscription, identifier?: number): number {
    const isNew = !this.filters.has(filter);
    const code = this.filters.add(filter, qos, identifier, retainAsPublished);
    if (code < REASON.UNSPECIFIED && this.filters.covers(filter, 'shadow/desired'))
      this.#retained.subscribed(retainHandling, isNew);
    return code;
  }

  /** Messages up to a place have passed by; of use to a session that lacks nothing. */
  advance(place: StreamPlace | undefined): void {
    if (!place || this.#behind) return;
    if (this.#place?.createdAt === place.createdAt && this.#place.sequence >= place.sequence) return;
    this.#place = place;
  }

  /** It lacks messages and can take some. */
  get wantsMore(): boolean {
    return this.#behind && this.#writer !== undefined && this.#queued.length < MAX_QUEUED / 2;
  }

  /** Behind which the messages lie that it lacks; undefined when it lacks none. */
  get resumeAfter(): StreamPlace | undefined {
    const place = this.#place;
    if (!place) return undefined;
    return { ...place, sequence: Math.min(place.sequence, ...[...this.#wanted.keys()].map((at) => at - 1)) };
  }

  /** Takes what it lacked, in order, as far as there is room. Up to `upTo` that is all. */
  caughtUp(messages: readonly DownlinkMessage[], upTo: StreamPlace): void {
    if (!this.#writer) return;
    if (this.#place?.createdAt !== upTo.createdAt) {
      this.#place = { createdAt: upTo.createdAt, sequence: 0 };
      this.#wanted.clear();
    }
    for (const message of messages) {
      const sequence = message.place?.sequence ?? 0;
      const packetId = this.#wanted.get(sequence);
      if (packetId === undefined && sequence <= (this.#place?.sequence ?? 0)) continue;
      // The tables know better what has become of it.
      if (message.id !== undefined || message.version !== undefined) continue;
      const outcome = this.#accept(message, packetId);
      if (outcome === 'later') return;
      this.#wanted.delete(sequence);
      this.#options.onOutcome(outcome);
    }
    for (const sequence of [...this.#wanted.keys()])
      if (sequence <= upTo.sequence) this.#wanted.delete(sequence);
    this.#moveTo(upTo);
    if (this.#newestSkipped <= upTo.sequence) this.#behind = false;
  }

  /** A connection carries the session on: what was not acknowledged goes out again, marked as a duplicate. */
  attach(link: DownlinkLink): void {
    this.#writer = new DownlinkWriter(this.#device, link);
    const kept = [...this.#inflight.values(), ...this.#queued];
    this.#tabled.reset(kept.flatMap(({ id }) => (id === undefined ? [] : [id])));
    this.#retained.reset(kept.flatMap(({ version }) => (version === undefined ? [] : [version])));
    this.#behind = this.#place !== undefined && this.filters.size > 0;
    this.#newestSkipped = 0;
    const unsent: DownlinkMessage[] = [];
    let room = this.#window;
    for (const [packetId, message] of [...this.#inflight]) {
      const outcome = room > 0 ? this.#send(message, packetId, true) : 'queued';
      room -= 1;
      if (outcome === 'sent') continue;
      this.#inflight.delete(packetId);
      if (outcome === 'queued') unsent.push(message);
      else this.#options.onOutcome(outcome);
    }
    this.#queued.unshift(...unsent);
    this.#sendQueued();
    this.#askForMore();
  }

  /** What the tables know and has not been sent is left to them: it may be taken back or be obsolete meanwhile. */
  detach(): void {
    this.#writer = undefined;
    const kept = this.#queued.filter(({ id, version }) => id === undefined && version === undefined);
    this.#queued.splice(0, this.#queued.length, ...kept);
  }

  /** Sends a message at the lower of its QoS and the subscription's, or keeps it until there is room. */
  deliver(message: DownlinkMessage): DownlinkOutcome {
    if (!this.#writer) return 'not_subscribed';
    if (message.id !== undefined) return this.#deliverTabled(message, message.id);
    if (message.version !== undefined) return this.#deliverRetained(message);
    const outcome = this.#behind ? 'later' : this.#accept(message);
    if (outcome === 'later') {
      this.#behind = true;
      this.#newestSkipped = message.place?.sequence ?? 0;
    }
    return outcome;
  }

  /** The tables are about to be read for it: until then what they know waits. False without a connection. */
  beginTables(): boolean {
    if (!this.#writer) return false;
    this.#tabled.begin();
    this.#retained.begin();
    return true;
  }

  /** The tables are being read for its connection. */
  get isReadingTables(): boolean {
    return this.#writer !== undefined && this.#tabled.isReading;
  }

  /** Takes what the tables have for the device, in their order, as far as there is room and it was not handed out before. */
  takeTables(messages: readonly DownlinkMessage[]): void {
    if (!this.#writer || !this.#tabled.isReading) return;
    const retained = this.#retained.finish(messages.find(({ version }) => version !== undefined));
    if (retained) this.#options.onOutcome(this.#handRetained(retained));
    for (const message of this.#tabled.finish(messages.filter(({ id }) => id !== undefined)))
      this.#options.onOutcome(this.#hand(message, message.id ?? ''));
    this.#askForMore();
  }

  /** The device answered a message; it has it unless `taken` is false. An id that is not on its way is ignored. */
  acknowledge(packetId: number, taken = true): void {
    const message = this.#inflight.get(packetId);
    if (!message) return;
    this.#inflight.delete(packetId);
    this.#changes += 1;
    if (taken) this.#received(message);
    if (taken && message.version !== undefined) this.#retained.acknowledge(message.version);
    this.#sendQueued();
    this.#askForMore();
  }

  #askForMore(): void {
    if (this.wantsMore) this.#options.onBehind(this);
    const hasRoom = this.#writer !== undefined && this.#queued.length < MAX_QUEUED / 2;
    if (hasRoom && this.#tabled.isLacking) this.#options.onLacking(this);
  }

  #deliverTabled(message: DownlinkMessage, id: string): DownlinkOutcome {
    if (message.place && !this.#behind) this.#moveTo(message.place);
    return this.#tabled.hold(message) ? 'queued' : this.#hand(message, id);
  }

  #hand(message: DownlinkMessage, id: string): DownlinkOutcome {
    if (this.#queued.length >= MAX_QUEUED) {
      this.#tabled.lack();
      return 'later';
    }
    return this.#tabled.take(id) ? this.#accept({ ...message, place: undefined }) : 'repeated';
  }

  /** Nobody listens; once somebody does, the tables bring it. */
  #unheard({ id }: DownlinkMessage): 'not_subscribed' {
    if (id !== undefined) this.#tabled.forget(id);
    return 'not_subscribed';
  }

  #deliverRetained(message: DownlinkMessage): DownlinkOutcome {
    if (message.place && !this.#behind) this.#moveTo(message.place);
    const when = this.#retained.change(message);
    if (when === 'now') return this.#handRetained(message);
    return when === 'waits' ? 'queued' : 'repeated';
  }

  #handRetained(message: DownlinkMessage): DownlinkOutcome {
    const older = this.#queued.findIndex(({ version }) => version !== undefined);
    if (older >= 0) {
      this.#queued.splice(older, 1);
      this.#options.onOutcome('superseded');
    }
    const outcome = this.#accept({ ...message, place: undefined });
    if (outcome === 'later') this.#tabled.lack();
    else if (outcome !== 'not_subscribed') this.#retained.given(message);
    return outcome;
  }

  #received({ id, leaf }: DownlinkMessage): void {
    if (id !== undefined) this.#options.onReceived(id, leaf);
  }

  /** @param packetId of an earlier attempt to send it */
  #accept(message: DownlinkMessage, packetId = 0): DownlinkOutcome {
    const granted = this.filters.grantFor(message.leaf)?.qos;
    let outcome: DownlinkOutcome;
    if (granted === undefined) outcome = this.#unheard(message);
    else if (Math.min(granted, message.qos) === 0) {
      outcome = this.#send(message, 0, false);
      if (outcome === 'sent') this.#received(message);
    } else if (packetId > 0 && !this.#inflight.has(packetId) && this.#inflight.size < this.#window) {
      outcome = this.#send(message, packetId, true);
      if (outcome === 'sent') this.#inflight.set(packetId, message);
    } else if (this.#queued.length >= MAX_QUEUED) return 'later';
    else {
      this.#queued.push(message);
      outcome = this.#sendQueued(message) ?? 'queued';
    }
    if (message.place) this.#moveTo(message.place);
    return outcome;
  }

  #moveTo(place: StreamPlace): void {
    if (this.#place?.createdAt === place.createdAt && this.#place.sequence >= place.sequence) return;
    this.#place = place;
    this.#changes += 1;
  }

  get #window(): number {
    return Math.min(MAX_INFLIGHT, this.#writer?.receiveMaximum ?? 0);
  }

  /** What became of `wanted`; undefined when it still waits. */
  #sendQueued(wanted?: DownlinkMessage): DownlinkOutcome | undefined {
    let found: DownlinkOutcome | undefined;
    while (this.#inflight.size < this.#window) {
      const message = this.#queued.shift();
      if (!message) break;
      const packetId = this.#freeId();
      const outcome = this.#send(message, packetId, false);
      if (outcome === 'sent') this.#inflight.set(packetId, message);
      if (message === wanted) found = outcome;
      else this.#options.onOutcome(outcome);
    }
    return found;
  }

  #send(message: DownlinkMessage, packetId: number, dup: boolean): DownlinkOutcome {
    const grant = this.filters.grantFor(message.leaf);
    if (!grant || !this.#writer) return this.#unheard(message);
    return this.#writer.send(message, grant, packetId, dup, this.filters.identifiersOf(grant.topic));
  }

  #freeId(): number {
    do this.#nextId = this.#nextId === 65_535 ? 1 : this.#nextId + 1;
    while (this.#inflight.has(this.#nextId));
    return this.#nextId;
  }
}
