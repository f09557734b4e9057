import { generate } from 'mqtt-packet';
import { buildTopic, type DownlinkLeaf, downlinkLeavesUnder } from '#core/mqtt/topics.ts';

/** A message to a device. */
export interface DownlinkMessage {
  readonly leaf: DownlinkLeaf;
  readonly qos: 0 | 1;
  readonly retain: boolean;
  readonly payload: Buffer;
}

export type DownlinkOutcome = 'sent' | 'queued' | 'not_subscribed' | 'overflow';

/** The answer to a filter that is not granted (MQTT 3.1.1, 3.9.3). */
export const SUBSCRIBE_FAILURE = 0x80;

const MAX_FILTERS = 32;
/** Sent and not acknowledged by the device. */
const MAX_INFLIGHT = 16;
/** Waiting for room among those. What does not fit is sent again from the tables on the next connect. */
const MAX_QUEUED = 128;

/**
 * What a device is subscribed to and what it has not acknowledged: the part of a session that outlives its
 * connection when the device asked for that (clean session 0).
 */
export class DownlinkSession {
  readonly clientId: string;
  readonly #tenant: string;
  readonly #device: string;
  readonly #filters = new Map<string, { readonly qos: 0 | 1; readonly leaves: readonly DownlinkLeaf[] }>();
  readonly #inflight = new Map<number, DownlinkMessage>();
  readonly #queued: DownlinkMessage[] = [];
  #nextId = 1;
  #write: ((bytes: Buffer) => void) | undefined;

  constructor(tenant: string, device: string, clientId: string) {
    this.#tenant = tenant;
    this.#device = device;
    this.clientId = clientId;
  }

  /** The granted QoS, or 0x80. QoS 2 is granted as 1. */
  subscribe(filter: string, qos: number): number {
    const leaves = downlinkLeavesUnder(filter, this.#tenant, this.#device);
    if (leaves.length === 0) return SUBSCRIBE_FAILURE;
    if (!this.#filters.has(filter) && this.#filters.size >= MAX_FILTERS) return SUBSCRIBE_FAILURE;
    const granted = qos === 0 ? 0 : 1;
    this.#filters.set(filter, { qos: granted, leaves });
    return granted;
  }

  unsubscribe(filter: string): void {
    this.#filters.delete(filter);
  }

  get subscribed(): boolean {
    return this.#filters.size > 0;
  }

  /** A connection carries the session on: what was not acknowledged goes out again, marked as a duplicate. */
  attach(write: (bytes: Buffer) => void): void {
    this.#write = write;
    for (const [packetId, message] of this.#inflight) this.#send(message, packetId, true);
    this.#sendQueued();
  }

  detach(): void {
    this.#write = undefined;
  }

  /** Sends a message at the lower of its QoS and the subscription's, or keeps it until there is room. */
  deliver(message: DownlinkMessage): DownlinkOutcome {
    const granted = this.#grantedQos(message.leaf);
    if (granted === undefined || !this.#write) return 'not_subscribed';
    if (Math.min(granted, message.qos) === 0) {
      this.#send(message, 0, false);
      return 'sent';
    }
    if (this.#queued.length >= MAX_QUEUED) return 'overflow';
    this.#queued.push(message);
    return this.#sendQueued() > 0 ? 'sent' : 'queued';
  }

  /** The device has it. An id that is not on its way is ignored. */
  acknowledge(packetId: number): void {
    if (this.#inflight.delete(packetId)) this.#sendQueued();
  }

  #sendQueued(): number {
    let count = 0;
    while (this.#write && this.#inflight.size < MAX_INFLIGHT) {
      const message = this.#queued.shift();
      if (!message) break;
      const packetId = this.#freeId();
      this.#inflight.set(packetId, message);
      this.#send(message, packetId, false);
      count += 1;
    }
    return count;
  }

  #send(message: DownlinkMessage, packetId: number, dup: boolean): void {
    const topic = buildTopic(this.#tenant, this.#device, message.leaf);
    const { payload } = message;
    // To a standing subscription a message goes without the retain flag (MQTT 3.1.1, 3.3.1.3).
    const common = { cmd: 'publish', topic, payload, retain: false, dup } as const;
    this.#write?.(
      generate(packetId === 0 ? { ...common, qos: 0 } : { ...common, qos: 1, messageId: packetId }),
    );
  }

  #grantedQos(leaf: DownlinkLeaf): 0 | 1 | undefined {
    let granted: 0 | 1 | undefined;
    for (const { qos, leaves } of this.#filters.values()) {
      if (leaves.includes(leaf) && (granted === undefined || qos > granted)) granted = qos;
    }
    return granted;
  }

  #freeId(): number {
    do this.#nextId = this.#nextId === 65_535 ? 1 : this.#nextId + 1;
    while (this.#inflight.has(this.#nextId));
    return this.#nextId;
  }
}
