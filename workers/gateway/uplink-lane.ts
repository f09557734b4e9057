import type { Histogram } from 'prom-client';
import { withoutProvisionToken } from '#core/fleet/provision-token.ts';
import type { Intake } from './intake.ts';
import type { Refusal } from './metrics.ts';
import type { PacketReader } from './packet-reader.ts';
import { type Uplink, type UplinkOwner, UplinkTopics } from './uplink.ts';

const PUBACK = 0x40;

export interface UplinkLaneOptions {
  readonly tenant: string;
  readonly device: string;
  readonly intake: Intake;
  readonly maxPayloadBytes: number;
  readonly maxInflight: number;
  readonly storeSeconds: Histogram;
  /** PUBACKs are due: `takeAcks` is to be called before long. */
  onAcks(): void;
  /** The window is full (true), or half empty again (false). */
  onFull(full: boolean): void;
  /** The bus gave a QoS 1 message up: the device must send it again. */
  onLost(): void;
}

/**
 * The messages of one connection on their way to the bus. A PUBACK is due when the message and every QoS 1 message
 * before it are stored: PUBACKs leave in the order of the PUBLISHes.
 */
export class UplinkLane implements UplinkOwner {
  readonly #options: UplinkLaneOptions;
  readonly #topics: UplinkTopics;
  #first: Uplink | undefined;
  #last: Uplink | undefined;
  #inflight = 0;
  #full = false;
  #closed = false;
  #due: number[] = [];

  constructor(options: UplinkLaneOptions) {
    this.#options = options;
    this.#topics = new UplinkTopics(options.tenant, options.device);
  }

  /** Messages of both qualities without an answer so far. */
  get inflight(): number {
    return this.#inflight;
  }

  /** When the QoS 1 message that has waited longest was read. */
  get waitingSince(): number | undefined {
    return this.#first?.receivedAt;
  }

  /** Takes the PUBLISH that the reader stands on; says why when it does not. */
  publish(packet: PacketReader, now: number): Refusal | undefined {
    const { buffer, header, start, end } = packet;
    const qos = (header >> 1) & 3;
    if (qos > 1) return qos === 2 ? 'qos_unsupported' : 'malformed';
    if (end - start < 2) return 'malformed';
    const topicAt = start + 2;
    const topicEnd = topicAt + buffer.readUInt16BE(start);
    const payloadAt = topicEnd + 2 * qos;
    if (payloadAt > end) return 'malformed';
    const packetId = qos === 0 ? 0 : buffer.readUInt16BE(topicEnd);
    if (qos === 1 && packetId === 0) return 'malformed';
    const meaning = this.#topics.meaningOf(buffer, topicAt, topicEnd);
    if (meaning === undefined) return 'topic';
    if (end - payloadAt > this.#options.maxPayloadBytes) return 'payload_too_large';
    const payload = buffer.subarray(payloadAt, end);

    const uplink = this.#options.intake.pool.take();
    uplink.tenant = this.#options.tenant;
    uplink.device = this.#options.device;
    uplink.kind = meaning.kind;
    uplink.dialect = meaning.dialect;
    uplink.dup = (header & 8) !== 0;
    uplink.receivedAt = now;
    uplink.payload = packet.marked ? withoutProvisionToken(payload) : payload;
    uplink.packetId = packetId;
    uplink.owner = this;
    this.#append(uplink);
    this.#options.intake.send(uplink);
    return undefined;
  }

  settled(uplink: Uplink, error: Error | undefined): void {
    this.#inflight -= 1;
    if (uplink.packetId === 0) {
      if (error) this.#options.intake.tally.qos0Lost += 1;
      this.#options.intake.pool.give(uplink);
    } else if (error) {
      this.#options.onLost();
    } else {
      uplink.stored = true;
      this.#acknowledge();
    }
    if (this.#full && this.#inflight <= this.#options.maxInflight / 2) {
      this.#full = false;
      if (!this.#closed) this.#options.onFull(false);
    }
  }

  /** The PUBACKs that are due, as they go to the device; undefined when there are none. */
  takeAcks(): Buffer | undefined {
    const due = this.#due;
    if (due.length === 0) return undefined;
    const bytes = Buffer.allocUnsafe(due.length * 4);
    let at = 0;
    for (const packetId of due) {
      bytes[at] = PUBACK;
      bytes[at + 1] = 2;
      bytes[at + 2] = packetId >> 8;
      bytes[at + 3] = packetId & 0xff;
      at += 4;
    }
    this.#options.intake.tally.pubacks += due.length;
    due.length = 0;
    return bytes;
  }

  /** The connection is gone: what is stored from now on is acknowledged to nobody. */
  close(): void {
    this.#closed = true;
  }

  #append(uplink: Uplink): void {
    this.#inflight += 1;
    if (uplink.packetId !== 0) {
      if (this.#last) this.#last.next = uplink;
      else this.#first = uplink;
      this.#last = uplink;
    }
    if (!this.#full && this.#inflight >= this.#options.maxInflight) {
      this.#full = true;
      this.#options.onFull(true);
    }
  }

  /** Everything at the front that is stored. */
  #acknowledge(): void {
    const wasEmpty = this.#due.length === 0;
    for (let first = this.#first; first?.stored; first = this.#first) {
      this.#first = first.next;
      if (!this.#closed) this.#due.push(first.packetId);
      if ((first.packetId & 15) === 0)
        this.#options.storeSeconds.observe((Date.now() - first.receivedAt) / 1000);
      this.#options.intake.pool.give(first);
    }
    if (!this.#first) this.#last = undefined;
    if (wasEmpty && this.#due.length > 0) this.#options.onAcks();
  }
}
