import type { FrameDone } from '#core/bus/frame-publisher.ts';
import type { FrameItem, ItemKind } from '#core/bus/messages.ts';
import { topicPrefix, UPLINK_LEAVES, type UplinkLeaf } from '#core/mqtt/topics.ts';

/** What ingest takes a message for, by the end of its topic. */
export const KIND_OF_LEAF: Readonly<Record<UplinkLeaf, ItemKind>> = {
  telemetry: 'telemetry',
  heartbeat: 'heartbeat',
  status: 'status',
  'shadow/reported': 'shadow_reported',
  'commands/ack': 'command_ack',
  'ota/status': 'ota_status',
};

const LEAVES = UPLINK_LEAVES.map((leaf) => ({ bytes: Buffer.from(leaf), kind: KIND_OF_LEAF[leaf] }));

/** The topics that one device may publish to, as bytes, so that none is ever made into a string. */
export class UplinkTopics {
  readonly #prefix: Buffer;

  constructor(tenant: string, device: string) {
    this.#prefix = Buffer.from(topicPrefix(tenant, device));
  }

  /** What a topic in a packet means; undefined when it is not this device's to publish to. */
  kindOf(packet: Buffer, start: number, end: number): ItemKind | undefined {
    const prefix = this.#prefix;
    const leafAt = start + prefix.length;
    if (leafAt >= end || !isEqual(packet, start, prefix)) return undefined;
    const length = end - leafAt;
    for (const leaf of LEAVES) {
      if (leaf.bytes.length === length && isEqual(packet, leafAt, leaf.bytes)) return leaf.kind;
    }
    return undefined;
  }
}

/** From the end: topics of one fleet differ there. Faster than a native call for such lengths. */
function isEqual(packet: Buffer, at: number, expected: Buffer): boolean {
  for (let index = expected.length - 1; index >= 0; index--) {
    if (packet[at + index] !== expected[index]) return false;
  }
  return true;
}

const NO_BYTES = new Uint8Array(0);

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
  readonly dialect = 'canonical';
  readonly source = 'mqtt';
  dup = false;
  receivedAt = 0;
  payload: Uint8Array = NO_BYTES;

  /** 0 for QoS 0. */
  packetId = 0;
  stored = false;
  owner: UplinkOwner | undefined;
  /** The next QoS 1 message of the same connection. */
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
      uplink.owner = undefined;
      uplink.next = undefined;
      uplink.stored = false;
      if (idle.length < maxIdle) idle.push(uplink);
    },
  };
}
