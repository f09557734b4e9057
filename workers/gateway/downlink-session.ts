import type { UserProperty } from '#core/bus/user-properties.ts';
import { buildTopic, type DownlinkLeaf } from '#core/mqtt/topics.ts';
import type { ClientLimits } from './admission.ts';
import { DownlinkFilters } from './downlink-filters.ts';
import { PROPERTY, type PropertyToWrite } from './protocol/properties.ts';
import type { ProtocolVersion } from './protocol/read-connect.ts';
import { publish } from './protocol/write-packets.ts';

/** A message to a device. */
export interface DownlinkMessage {
  readonly leaf: DownlinkLeaf;
  readonly qos: 0 | 1;
  readonly retain: boolean;
  readonly payload: Buffer;
  /** In ms since the epoch; see `DownlinkEnvelope`. */
  readonly expiresAt?: number | undefined;
  readonly contentType?: string | undefined;
  readonly userProperties?: readonly UserProperty[] | undefined;
}

export type DownlinkOutcome = 'sent' | 'queued' | 'not_subscribed' | 'overflow' | 'expired' | 'too_large';

/** A connection that messages leave through, and what the client at its end can take. */
export interface DownlinkLink {
  readonly version: ProtocolVersion;
  readonly limits: ClientLimits;
  write(bytes: Buffer): void;
}

/** Sent and not acknowledged by the device; fewer where it says so itself. */
const MAX_INFLIGHT = 16;
/** Waiting for room among those. What does not fit is sent again from the tables on the next connect. */
const MAX_QUEUED = 128;

/**
 * What a device is subscribed to and what it has not acknowledged: the part of a session that outlives its
 * connection when the device asked for that.
 */
export class DownlinkSession {
  readonly filters: DownlinkFilters;
  readonly #tenant: string;
  readonly #device: string;
  readonly #inflight = new Map<number, DownlinkMessage>();
  readonly #queued: DownlinkMessage[] = [];
  readonly #onOutcome: (outcome: DownlinkOutcome) => void;
  #nextId = 1;
  #link: DownlinkLink | undefined;
  /** Topics that the client at the end of the link knows by a number. */
  readonly #aliases = new Map<DownlinkLeaf, number>();

  /** @param onOutcome told about each message that leaves the queue unsent */
  constructor(
    tenant: string,
    device: string,
    onOutcome: (outcome: DownlinkOutcome) => void = () => undefined,
  ) {
    this.#tenant = tenant;
    this.#device = device;
    this.#onOutcome = onOutcome;
    this.filters = new DownlinkFilters(tenant, device);
  }

  /** A connection carries the session on: what was not acknowledged goes out again, marked as a duplicate. */
  attach(link: DownlinkLink): void {
    this.#link = link;
    this.#aliases.clear();
    const unsent: DownlinkMessage[] = [];
    let room = this.#window;
    for (const [packetId, message] of [...this.#inflight]) {
      const outcome = room > 0 ? this.#send(message, packetId, true) : 'queued';
      room -= 1;
      if (outcome === 'sent') continue;
      this.#inflight.delete(packetId);
      if (outcome === 'queued') unsent.push(message);
      else this.#onOutcome(outcome);
    }
    this.#queued.unshift(...unsent);
    this.#sendQueued();
  }

  detach(): void {
    this.#link = undefined;
  }

  /** Sends a message at the lower of its QoS and the subscription's, or keeps it until there is room. */
  deliver(message: DownlinkMessage): DownlinkOutcome {
    const granted = this.filters.grantedQos(message.leaf);
    if (granted === undefined || !this.#link) return 'not_subscribed';
    if (Math.min(granted, message.qos) === 0) return this.#send(message, 0, false);
    if (this.#queued.length >= MAX_QUEUED) return 'overflow';
    this.#queued.push(message);
    return this.#sendQueued(message) ?? 'queued';
  }

  /** The device has it. An id that is not on its way is ignored. */
  acknowledge(packetId: number): void {
    if (this.#inflight.delete(packetId)) this.#sendQueued();
  }

  get #window(): number {
    return Math.min(MAX_INFLIGHT, this.#link?.limits.receiveMaximum ?? 0);
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
      else this.#onOutcome(outcome);
    }
    return found;
  }

  #send(message: DownlinkMessage, packetId: number, dup: boolean): DownlinkOutcome {
    const link = this.#link;
    if (!link) return 'not_subscribed';
    const restMs = message.expiresAt === undefined ? undefined : message.expiresAt - Date.now();
    if (restMs !== undefined && restMs <= 0) return 'expired';
    const { topic, alias, isNew } = this.#name(message.leaf, link);
    const properties: PropertyToWrite[] = [
      [PROPERTY.MESSAGE_EXPIRY, restMs === undefined ? undefined : Math.ceil(restMs / 1_000)],
      [PROPERTY.CONTENT_TYPE, message.contentType],
      [PROPERTY.TOPIC_ALIAS, alias],
      ...this.filters
        .identifiersOf(message.leaf)
        .map((identifier): PropertyToWrite => [PROPERTY.SUBSCRIPTION_ID, identifier]),
    ];
    const bytes = publish(link.version, {
      ...{ topic, packetId, dup, properties, payload: message.payload },
      user: message.userProperties ?? [],
    });
    if (bytes.length > link.limits.maxPacketBytes) return 'too_large';
    if (isNew && alias !== undefined) this.#aliases.set(message.leaf, alias);
    link.write(bytes);
    return 'sent';
  }

  /** The topic as the client is told it: in full at first, then by its alias, where the client takes one. */
  #name(leaf: DownlinkLeaf, { version, limits }: DownlinkLink) {
    const known = this.#aliases.get(leaf);
    if (known !== undefined) return { topic: '', alias: known, isNew: false };
    const topic = buildTopic(this.#tenant, this.#device, leaf);
    const alias =
      version === 5 && this.#aliases.size < limits.topicAliasMaximum ? this.#aliases.size + 1 : undefined;
    return { topic, alias, isNew: true };
  }

  #freeId(): number {
    do this.#nextId = this.#nextId === 65_535 ? 1 : this.#nextId + 1;
    while (this.#inflight.has(this.#nextId));
    return this.#nextId;
  }
}
