import { isUtf8 } from 'node:buffer';
import type { Histogram } from 'prom-client';
import { withoutProvisionToken } from '#core/fleet/provision-token.ts';
import { MESSAGE_BYTES, type Share } from '#core/fleet/share.ts';
import { DueAnswers } from './due-answers.ts';
import type { Inbox } from './inbox.ts';
import type { Intake } from './intake.ts';
import type { PacketReader } from './packet-reader.ts';
import { malformed, PacketError } from './protocol/packet-error.ts';
import type { ProtocolVersion } from './protocol/read-connect.ts';
import { PublishProperties } from './publish-properties.ts';
import { type Refusal, refusalNumber } from './refusals.ts';
import { PUBACK, PUBREC, type Uplink, type UplinkMeaning, type UplinkOwner, UplinkTopics } from './uplink.ts';

export interface UplinkLaneOptions {
  readonly tenant: string;
  readonly device: string;
  readonly version: ProtocolVersion;
  readonly intake: Intake;
  readonly inbox: Inbox;
  /** What all messages of the tenant that the bus has not answered count against. */
  readonly share: Share;
  readonly maxPayloadBytes: number;
  /**
   * In MQTT 5 the most messages that a client may have open, of which it was told; in 3.1.1 the socket is not read while
   * so many wait for an answer of the bus.
   */
  readonly maxInflight: number;
  /** The longest packet that is told why a PUBLISH was refused; 0 when the client does not want to know. */
  readonly maxReasonBytes: number;
  readonly storeSeconds: Histogram;
  /** Acknowledgements are due: `takeAcks` is to be called before long, or at once where they are pressing. */
  onAcks(pressing: boolean): void;
  /** The window is full (true), or half empty again (false). */
  onFull(full: boolean): void;
  /** The bus gave a message up that is to be acknowledged: the device must send it again. */
  onLost(): void;
}

/**
 * The messages of one connection on their way to the bus. A PUBACK or PUBREC is due when the message and every message
 * before it that wants one are stored: they leave in the order of the PUBLISHes, also those that refuse.
 */
export class UplinkLane implements UplinkOwner {
  readonly #options: UplinkLaneOptions;
  readonly #topics: UplinkTopics;
  /** Only in MQTT 5. */
  readonly #properties: PublishProperties | undefined;
  #first: Uplink | undefined;
  #last: Uplink | undefined;
  #inflight = 0;
  /** Of these, the ones with QoS 1. */
  #unanswered = 0;
  readonly #holdAt: number;
  #full = false;
  #closed = false;
  readonly #due: DueAnswers;

  constructor(options: UplinkLaneOptions) {
    this.#options = options;
    this.#topics = new UplinkTopics(options.tenant, options.device);
    this.#properties = options.version === 5 ? new PublishProperties(this.#topics) : undefined;
    this.#due = new DueAnswers(options.maxReasonBytes);
    this.#holdAt = options.version === 5 ? 2 * options.maxInflight : options.maxInflight;
  }

  /** Messages of every quality without an answer so far. */
  get inflight(): number {
    return this.#inflight;
  }

  /** When the message that has waited longest for its acknowledgement was read. */
  get waitingSince(): number | undefined {
    return this.#first?.receivedAt;
  }

  /**
   * Takes the PUBLISH that the reader stands on. One that is refused is answered in its turn.
   * @returns why it was refused
   * @throws PacketError when the connection cannot go on
   */
  publish(packet: PacketReader, now: number): Refusal | undefined {
    const { buffer, header, start, end } = packet;
    const qos = (header >> 1) & 3;
    if (qos === 3) throw malformed('a PUBLISH with both QoS bits');
    if (end - start < 2) throw malformed('a PUBLISH without a topic');
    const topicAt = start + 2;
    const topicEnd = topicAt + buffer.readUInt16BE(start);
    let payloadAt = qos === 0 ? topicEnd : topicEnd + 2;
    if (payloadAt > end) throw malformed('a PUBLISH shorter than it says');
    const packetId = qos === 0 ? 0 : buffer.readUInt16BE(topicEnd);
    if (qos !== 0 && packetId === 0) throw malformed('a PUBLISH with packet id 0');
    const properties = this.#properties;
    let meaning: UplinkMeaning | undefined;
    if (properties === undefined) meaning = this.#topics.meaningOf(buffer, topicAt, topicEnd);
    else {
      meaning = properties.read(buffer, topicAt, topicEnd, payloadAt, end);
      payloadAt = properties.payloadAt;
    }
    if (qos === 2 && this.#options.inbox.has(packetId)) return this.#repeat(packetId, now);
    if (qos !== 0) this.#checkOpen(qos);
    if (meaning === undefined)
      return this.#refuse(refuseTopic(buffer.subarray(topicAt, topicEnd)), packetId, qos, now);
    if (end - payloadAt > this.#options.maxPayloadBytes)
      return this.#refuse('payload_too_large', packetId, qos, now);
    const payload = buffer.subarray(payloadAt, end);
    if (properties !== undefined) {
      const refusal = properties.refusal(payload, meaning.kind);
      if (refusal !== undefined) return this.#refuse(refusal, packetId, qos, now);
    }

    const uplink = this.#options.intake.pool.take();
    uplink.tenant = this.#options.tenant;
    uplink.device = this.#options.device;
    uplink.kind = meaning.kind;
    uplink.dialect = meaning.dialect;
    uplink.dup = (header & 8) !== 0;
    uplink.receivedAt = now;
    uplink.payload = packet.marked ? withoutProvisionToken(payload) : payload;
    if (properties !== undefined) uplink.userProperties = properties.userProperties;
    uplink.packetId = packetId;
    uplink.answer = PUBACK;
    uplink.owner = this;
    if (qos === 2) {
      uplink.answer = PUBREC;
      this.#options.inbox.take(uplink);
    }
    this.#append(uplink);
    uplink.heldBytes = uplink.payload.length + MESSAGE_BYTES;
    this.#options.share.take(uplink.heldBytes);
    this.#options.intake.send(uplink);
    return undefined;
  }

  settled(uplink: Uplink, error: Error | undefined): void {
    this.#inflight -= 1;
    const { heldBytes } = uplink;
    if (uplink.answer === PUBREC) this.#options.inbox.settled(uplink, error);
    if (uplink.packetId === 0) {
      if (error) this.#options.intake.tally.qos0Lost += 1;
      this.#options.intake.pool.give(uplink);
    } else if (error) {
      this.#options.onLost();
    } else {
      uplink.stored = true;
      this.#acknowledge();
    }
    if (this.#full && this.#inflight <= this.#holdAt / 2) {
      this.#full = false;
      if (!this.#closed) this.#options.onFull(false);
    }
    this.#options.share.give(heldBytes);
  }

  /** The acknowledgements that are due, as they go to the device; undefined when there are none. */
  takeAcks(): Buffer | undefined {
    const due = this.#due;
    if (due.size === 0) return undefined;
    this.#options.intake.tally.pubacks += due.size - due.refusals;
    return due.take();
  }

  /** The connection is gone: what is stored from now on is acknowledged to nobody. */
  close(): void {
    this.#closed = true;
  }

  /** A client of MQTT 5 knows how much it may have open; of 3.1.1 only QoS 2 is bounded so, for QoS 1 the socket waits. */
  #checkOpen(qos: number): void {
    const { inbox, maxInflight } = this.#options;
    const open =
      this.#properties === undefined ? (qos === 2 ? inbox.size : 0) : this.#unanswered + inbox.size;
    if (open < maxInflight) return;
    throw new PacketError(
      'RECEIVE_MAXIMUM_EXCEEDED',
      `more than ${maxInflight} messages that are not acknowledged, or not released`,
    );
  }

  #refuse(refusal: Refusal, packetId: number, qos: number, now: number): Refusal {
    if (this.#properties === undefined || packetId === 0) return refusal;
    const uplink = this.#answer(packetId, qos === 2 ? PUBREC : PUBACK, now);
    uplink.refusal = refusalNumber(refusal);
    this.#answerAtOnce(uplink);
    return refusal;
  }

  #repeat(packetId: number, now: number): undefined {
    const uplink = this.#answer(packetId, PUBREC, now);
    if (this.#options.inbox.repeat(uplink)) this.#answerAtOnce(uplink);
    else this.#append(uplink);
  }

  /** An answer to what is not sent to the bus; it still has its turn. */
  #answer(packetId: number, answer: number, now: number): Uplink {
    const uplink = this.#options.intake.pool.take();
    uplink.packetId = packetId;
    uplink.answer = answer;
    uplink.receivedAt = now;
    uplink.owner = this;
    return uplink;
  }

  #answerAtOnce(uplink: Uplink): void {
    uplink.stored = true;
    this.#enqueue(uplink);
    this.#acknowledge();
  }

  #append(uplink: Uplink): void {
    this.#inflight += 1;
    if (uplink.packetId !== 0) this.#enqueue(uplink);
    if (!this.#full && this.#inflight >= this.#holdAt) {
      this.#full = true;
      this.#options.onFull(true);
    }
  }

  #enqueue(uplink: Uplink): void {
    if (uplink.answer === PUBACK) this.#unanswered += 1;
    if (this.#last) this.#last.next = uplink;
    else this.#first = uplink;
    this.#last = uplink;
  }

  /** Everything at the front that is stored. */
  #acknowledge(): void {
    const due = this.#due;
    const [before, wasPressing] = [due.size, due.pressing];
    for (let first = this.#first; first?.stored; first = this.#first) {
      this.#first = first.next;
      if (first.answer === PUBACK) this.#unanswered -= 1;
      if (!this.#closed) due.add(first);
      if ((first.packetId & 15) === 0)
        this.#options.storeSeconds.observe((Date.now() - first.receivedAt) / 1000);
      this.#options.intake.pool.give(first);
    }
    if (!this.#first) this.#last = undefined;
    this.#options.intake.tally.answersDue += due.size - before;
    if (due.size > 0 && (before === 0 || due.pressing !== wasPressing)) this.#options.onAcks(due.pressing);
  }
}

/** @throws PacketError when it is no text at all */
function refuseTopic(topic: Buffer): Refusal {
  if (!isUtf8(topic) || topic.includes(0)) throw malformed('a topic that is not UTF-8, or holds NUL');
  return topic.includes('+') || topic.includes('#') ? 'topic_name' : 'topic';
}
