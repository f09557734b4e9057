import type { FrameDone } from '#core/bus/frame-publisher.ts';
import type { FrameItem, ItemKind } from '#core/bus/messages.ts';
import type { Dialect } from '#core/fleet/dialects/dialect.ts';
import { KIND_OF_LEAF, topicPrefix, UPLINK_LEAVES, uplinkTopics } from '#core/mqtt/topics.ts';

/** What a message on a topic is, and how it is spelled. */
export interface UplinkMeaning {
  readonly kind: ItemKind;
  readonly dialect: Dialect;
}

interface KnownTopic {
  readonly bytes: Buffer;
  readonly meaning: UplinkMeaning;
}

const LEAVES: readonly KnownTopic[] = UPLINK_LEAVES.map((leaf) => ({
  bytes: Buffer.from(leaf),
  meaning: { kind: KIND_OF_LEAF[leaf], dialect: 'canonical' },
}));

/** The topics that one device may publish to, as bytes, so that none is ever made into a string. */
export class UplinkTopics {
  readonly #tenant: string;
  readonly #device: string;
  readonly #prefix: Buffer;
  /** Made when a topic is first not the canonical one: most connections never need them. */
  #others: readonly KnownTopic[] | undefined;

  constructor(tenant: string, device: string) {
    this.#tenant = tenant;
    this.#device = device;
    this.#prefix = Buffer.from(topicPrefix(tenant, device));
  }

  /** What a topic in a packet means; undefined when it is not this device's to publish to. */
  meaningOf(packet: Buffer, start: number, end: number): UplinkMeaning | undefined {
    const prefix = this.#prefix;
    const leafAt = start + prefix.length;
    if (leafAt < end && isEqual(packet, start, prefix)) return meaningAmong(LEAVES, packet, leafAt, end);
    this.#others ??= uplinkTopics(this.#tenant, this.#device)
      .filter(({ dialect }) => dialect !== 'canonical')
      .map(({ topic, dialect, leaf }) => {
        return { bytes: Buffer.from(topic), meaning: { kind: KIND_OF_LEAF[leaf], dialect } };
      });
    return meaningAmong(this.#others, packet, start, end);
  }
}

function meaningAmong(
  topics: readonly KnownTopic[],
  packet: Buffer,
  start: number,
  end: number,
): UplinkMeaning | undefined {
  for (const { bytes, meaning } of topics) {
    if (bytes.length === end - start && isEqual(packet, start, bytes)) return meaning;
  }
  return undefined;
}

/** From the end: topics of one fleet differ there. Faster than a native call for such lengths. */
function isEqual(packet: Buffer, at: number, expected: Buffer): boolean {
  for (let index = expected.length - 1; index >= 0; index--) {
    if (packet[at + index] !== expected[index]) return false;
  }
  return true;
}

const NO_BYTES = new Uint8Array(0);

/** First bytes of the packets that answer a PUBLISH: QoS 1, QoS 2. */
export const PUBACK = 0x40;
export const PUBREC = 0x50;

/** Who is told what became of a message. */
export interface UplinkOwner {
  /** The message is stored (or was given up, with an error). Takes the record back. */
  settled(uplink: Uplink, error: Error | undefined): void;
}

/** A message on its way to the bus. Records are used again, so that a message costs no allocation. */
export class Uplink implements FrameItem {
  tenant = '';
  device = '';
  kind: ItemKind = 'telemetry';
  dialect: Dialect = 'canonical';
  readonly source = 'mqtt';
  dup = false;
  receivedAt = 0;
  payload: Uint8Array = NO_BYTES;
  readonly keyHash = undefined;
  userProperties: Uint8Array | undefined = undefined;

  /** 0 for QoS 0. */
  packetId = 0;
  /** `PUBACK` or `PUBREC`; of no meaning with QoS 0. */
  answer = PUBACK;
  /** See `refusalNumber`; 0 for a message that was taken. */
  refusal = 0;
  /** What it counts for in its tenant's share; 0 for what is not sent to the bus. */
  heldBytes = 0;
  /** It may be answered: it is stored, was refused, or repeats one that is stored. */
  stored = false;
  owner: UplinkOwner | undefined;
  /** The next message of the same connection that is to be answered. */
  next: Uplink | undefined;
  /** Handed to the publisher; one function for the record's whole life. */
  readonly done: FrameDone = (error) => this.owner?.settled(this, error);
}

/** Records not in use at present. */
export interface UplinkPool {
  take(): Uplink;
  give(uplink: Uplink): void;
}

/** Keeps up to `maxIdle` records. */
export function createUplinkPool(maxIdle: number): UplinkPool {
  const idle: Uplink[] = [];
  return {
    take: () => idle.pop() ?? new Uplink(),
    give(uplink) {
      uplink.payload = NO_BYTES;
      if (uplink.userProperties !== undefined) uplink.userProperties = undefined;
      if (uplink.refusal !== 0) uplink.refusal = 0;
      uplink.heldBytes = 0;
      uplink.owner = undefined;
      uplink.next = undefined;
      uplink.stored = false;
      if (idle.length < maxIdle) idle.push(uplink);
    },
  };
}
