import type { MessageId } from '../fleet/message-id.ts';

/** What became of one part of a message, as `ingest_frames.manifest` says it. */
export const PART_FATES = ['STORED', 'DUPLICATE', 'QUARANTINED', 'DEAD_LETTERED', 'SIGN_OF_LIFE'] as const;
export type PartFate = (typeof PART_FATES)[number];

/** In the order of their numbers in a frame, which the manifest repeats. */
export const MANIFEST_SOURCES = ['mqtt', 'http', 'bridge'] as const;
export const MANIFEST_KINDS = [
  'telemetry',
  'heartbeat',
  'status',
  'connected',
  'disconnected',
  'shadow_reported',
  'command_ack',
  'ota_status',
  'command_sent',
] as const;

export interface ManifestPart {
  readonly fate: PartFate;
  /** False for the first part of a message. */
  readonly continues: boolean;
  readonly source: (typeof MANIFEST_SOURCES)[number];
  readonly kind: (typeof MANIFEST_KINDS)[number];
  /** 0 where the device is not known. */
  readonly deviceId: number;
  /** The message id, of which the low half is kept; undefined for what is no reading. */
  readonly id: MessageId | undefined;
}

export const MANIFEST_ENTRY_BYTES = 10;
const CONTINUES = 8;

/**
 * What became of every part of every message of a frame, ten bytes each: flags (2: fate in bits 0 to 2, bit 3 = belongs to the
 * message of the entry before, source in bits 4 and 5, kind in bits 6 to 9), device id (4) and the low half of the message id (4),
 * little-endian. By it a message is found from its receipt and a receipt from its row, without a column on every row.
 */
export class Manifest {
  #buffer: Buffer;
  #count = 0;

  constructor(expectedParts: number) {
    this.#buffer = Buffer.allocUnsafe(Math.max(1, expectedParts) * MANIFEST_ENTRY_BYTES);
  }

  /** Appends an entry and returns its number. */
  add(part: ManifestPart): number {
    let at = this.#count * MANIFEST_ENTRY_BYTES;
    if (at + MANIFEST_ENTRY_BYTES > this.#buffer.length) {
      const larger = Buffer.allocUnsafe(this.#buffer.length * 2);
      this.#buffer.copy(larger);
      this.#buffer = larger;
    }
    const flags =
      PART_FATES.indexOf(part.fate) |
      (part.continues ? CONTINUES : 0) |
      (MANIFEST_SOURCES.indexOf(part.source) << 4) |
      (MANIFEST_KINDS.indexOf(part.kind) << 6);
    at = this.#buffer.writeUInt16LE(flags, at);
    at = this.#buffer.writeInt32LE(part.deviceId, at);
    this.#buffer.writeInt32LE(part.id?.low ?? 0, at);
    return this.#count++;
  }

  /** Says what became of an entry after all. */
  settle(entry: number, fate: PartFate): void {
    const at = entry * MANIFEST_ENTRY_BYTES;
    const flags = this.#buffer.readUInt16LE(at);
    this.#buffer.writeUInt16LE((flags & ~7) | PART_FATES.indexOf(fate), at);
  }

  get bytes(): Buffer {
    return this.#buffer.subarray(0, this.#count * MANIFEST_ENTRY_BYTES);
  }
}

/** What the flags of an entry say. */
export function readManifestFlags(
  flags: number,
): Pick<ManifestPart, 'fate' | 'continues' | 'source' | 'kind'> {
  return {
    fate: PART_FATES[flags & 7] ?? 'STORED',
    continues: (flags & CONTINUES) !== 0,
    source: MANIFEST_SOURCES[(flags >> 4) & 3] ?? 'mqtt',
    kind: MANIFEST_KINDS[(flags >> 6) & 15] ?? 'telemetry',
  };
}
