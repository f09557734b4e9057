import { DIALECTS, type Dialect } from '../fleet/dialects/dialect.ts';
import { uuidText, writeUuidV7 } from '../fleet/uuid.ts';
import { FleetgraphError } from '../runtime/errors.ts';
import { FramedItem } from './framed-item.ts';
import { KnownNames } from './known-names.ts';

/**
 * The telemetry frame: one JetStream message that carries many device messages of one shard.
 *
 * | bytes | what |
 * |---|---|
 * | 1 | format version: 4 when an item carries user properties, else 3 when one is a replay, else 2 when one carries the hash of an idempotency key, else 1 |
 * | 16 | batch id, UUID v7 |
 * | 4 | number of items, little-endian |
 * | … | items |
 *
 * An item: kind (1), source (1), dialect (1), flags (1: bit 0 = MQTT DUP, bit 1 = key hash follows, bit 2 = replay follows,
 * bit 3 = user properties follow), receivedAt in ms (8, float64 LE), tenant length (1) and text, device length (1) and text, key hash
 * (8, only with its flag, from version 2), quarantine id and part (8 and 2, LE, only with their flag, from version 3), length (2, LE)
 * and bytes of the user properties as `packUserProperties` lays them out (only with their flag, from version 4), payload length (4, LE)
 * and bytes as they came. A reader refuses a version that it does not know and reads the ones before as ever.
 */
const FRAME_VERSION = 1;
const KEYED_FRAME_VERSION = 2;
const REPLAY_FRAME_VERSION = 3;
const PROPERTIED_FRAME_VERSION = 4;
export const FRAME_HEADER_BYTES = 21;
const ITEM_FIXED_BYTES = 18;
/** How many bytes of an idempotency key's hash an item carries. */
export const KEY_HASH_BYTES = 8;
const FLAG_DUP = 1;
const FLAG_KEYED = 2;
const FLAG_REPLAY = 4;
const FLAG_PROPERTIED = 8;
const REPLAY_BYTES = 10;
/** Stands for the whole message where a part's number would be. */
const WHOLE = 0xffff;

const KINDS = [
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
const SOURCES = ['mqtt', 'http', 'bridge'] as const;

export type ItemKind = (typeof KINDS)[number];
export type ItemSource = (typeof SOURCES)[number];

/** The kind with this name; undefined when there is none. */
export const itemKind = (name: string): ItemKind | undefined => KINDS.find((each) => each === name);
/** The source with this name; undefined when there is none. */
export const itemSource = (name: string): ItemSource | undefined => SOURCES.find((each) => each === name);

export interface FrameItem {
  /** Slug and key exactly as authenticated; both are ASCII. */
  readonly tenant: string;
  readonly device: string;
  readonly kind: ItemKind;
  readonly dialect: Dialect;
  readonly source: ItemSource;
  /** The device said that it may have sent this before. */
  readonly dup: boolean;
  /** Milliseconds since the epoch, at the edge. */
  readonly receivedAt: number;
  readonly payload: Uint8Array;
  /** `KEY_HASH_BYTES` of the hash of the idempotency key that came with it. */
  readonly keyHash?: Uint8Array | undefined;
  readonly replay?: Replay | undefined;
  /** What the sender said beside it, as `packUserProperties` lays it out; at most 65 535 bytes. */
  readonly userProperties?: Uint8Array | undefined;
}

/** What is sent through the pipeline again. */
export interface Replay {
  /** The quarantine row, a bigint in decimal, that is told the outcome. */
  readonly quarantineId: string;
  /** Only this reading of the message; undefined for all of them. */
  readonly part: number | undefined;
}

export interface Frame {
  readonly batchId: string;
  readonly items: readonly FramedItem[];
}

/** The bytes are not a frame this version understands. */
export class FrameError extends FleetgraphError {
  constructor(message: string) {
    super('FRAME_INVALID', message);
  }
}

/** How many bytes an item takes in a frame. */
export function itemBytes(item: FrameItem): number {
  return (
    ITEM_FIXED_BYTES +
    item.tenant.length +
    item.device.length +
    item.payload.length +
    (item.keyHash ? KEY_HASH_BYTES : 0) +
    (item.replay ? REPLAY_BYTES : 0) +
    (item.userProperties ? 2 + item.userProperties.length : 0)
  );
}

/** Builds one frame in a buffer of its own, copying each payload once, when it is added. */
export class FrameWriter {
  readonly batchId: string;
  #buffer: Buffer;
  #length = FRAME_HEADER_BYTES;
  #count = 0;

  constructor(now: number, capacity: number) {
    this.#buffer = Buffer.allocUnsafe(capacity);
    this.#buffer[0] = FRAME_VERSION;
    writeUuidV7(this.#buffer, 1, now);
    this.batchId = uuidText(this.#buffer.subarray(1, 17));
  }

  get count(): number {
    return this.#count;
  }

  get bytes(): number {
    return this.#length;
  }

  /** Appends an item and returns its index in the frame. A key hash must be `KEY_HASH_BYTES` long. */
  add(item: FrameItem): number {
    const needed = this.#length + itemBytes(item);
    if (needed > this.#buffer.length) this.#grow(needed);
    const buffer = this.#buffer;
    let at = this.#length;
    buffer[at] = KINDS.indexOf(item.kind);
    buffer[at + 1] = SOURCES.indexOf(item.source);
    buffer[at + 2] = DIALECTS.indexOf(item.dialect);
    buffer[at + 3] = flagsOf(item);
    buffer.writeDoubleLE(item.receivedAt, at + 4);
    at += 12;
    buffer[at++] = item.tenant.length;
    at += buffer.write(item.tenant, at, 'latin1');
    buffer[at++] = item.device.length;
    at += buffer.write(item.device, at, 'latin1');
    if (item.keyHash) {
      buffer.set(item.keyHash, at);
      this.#needVersion(KEYED_FRAME_VERSION);
      at += KEY_HASH_BYTES;
    }
    if (item.replay) {
      this.#needVersion(REPLAY_FRAME_VERSION);
      at = buffer.writeBigInt64LE(BigInt(item.replay.quarantineId), at);
      at = buffer.writeUInt16LE(item.replay.part ?? WHOLE, at);
    }
    if (item.userProperties) {
      this.#needVersion(PROPERTIED_FRAME_VERSION);
      at = buffer.writeUInt16LE(item.userProperties.length, at);
      buffer.set(item.userProperties, at);
      at += item.userProperties.length;
    }
    at = buffer.writeUInt32LE(item.payload.length, at);
    buffer.set(item.payload, at);
    this.#length = needed;
    return this.#count++;
  }

  /** The finished frame. The writer must not be used afterwards. */
  finish(): Buffer {
    this.#buffer.writeUInt32LE(this.#count, 17);
    return this.#buffer.subarray(0, this.#length);
  }

  #needVersion(version: number): void {
    this.#buffer[0] = Math.max(this.#buffer[0] ?? 0, version);
  }

  #grow(needed: number): void {
    const larger = Buffer.allocUnsafe(Math.max(needed, this.#buffer.length * 2));
    this.#buffer.copy(larger, 0, 0, this.#length);
    this.#buffer = larger;
  }
}

const deviceNames = new KnownNames();

/**
 * Reads a frame. Payloads are views into `bytes`, not copies.
 * @throws FrameError when the version is unknown or the lengths do not add up
 */
export function parseFrame(bytes: Uint8Array): Frame {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  if (buffer.length < FRAME_HEADER_BYTES) throw new FrameError('shorter than a frame header');
  const version = buffer[0];
  if (version === undefined || version < FRAME_VERSION || version > PROPERTIED_FRAME_VERSION)
    throw new FrameError(`unknown frame version ${version}`);
  const count = buffer.readUInt32LE(17);
  const items: FramedItem[] = [];
  /** Most items are of the tenant of the one before. */
  let tenant = '';
  let tenantAt = 0;
  let at = FRAME_HEADER_BYTES;
  try {
    for (let index = 0; index < count; index++) {
      const kind = KINDS[buffer.readUInt8(at)];
      const source = SOURCES[buffer.readUInt8(at + 1)];
      const dialect = DIALECTS[buffer.readUInt8(at + 2)];
      if (!kind || !source || !dialect)
        throw new FrameError(`item ${index} has an unknown kind, source or dialect`);
      const flags = buffer.readUInt8(at + 3);
      const keyed = version >= KEYED_FRAME_VERSION && (flags & FLAG_KEYED) !== 0;
      const replayed = version >= REPLAY_FRAME_VERSION && (flags & FLAG_REPLAY) !== 0;
      const propertied = version >= PROPERTIED_FRAME_VERSION && (flags & FLAG_PROPERTIED) !== 0;
      const receivedAt = buffer.readDoubleLE(at + 4);
      at += 12;
      const tenantLength = buffer.readUInt8(at++);
      if (tenantLength !== tenant.length || !sameBytes(buffer, tenantAt, at, tenantLength)) {
        tenant = buffer.toString('latin1', at, at + tenantLength);
        tenantAt = at;
      }
      at += tenantLength;
      const deviceLength = buffer.readUInt8(at);
      if (at + 1 + deviceLength > buffer.length) throw new FrameError('truncated');
      const device = deviceNames.read(buffer, at + 1, deviceLength);
      at += 1 + device.length;
      const keyHash = keyed ? buffer.subarray(at, at + KEY_HASH_BYTES) : undefined;
      if (keyed) at += KEY_HASH_BYTES;
      const replay = replayed ? readReplay(buffer, at) : undefined;
      if (replayed) at += REPLAY_BYTES;
      const propertiesAt = at + 2;
      if (propertied) at = propertiesAt + buffer.readUInt16LE(at);
      const userProperties = propertied ? buffer.subarray(propertiesAt, at) : undefined;
      const length = buffer.readUInt32LE(at);
      at += 4;
      if (at + length > buffer.length) throw new FrameError(`item ${index} runs past the end`);
      const dup = (flags & FLAG_DUP) !== 0;
      const said = {
        tenant,
        device,
        kind,
        dialect,
        source,
        dup,
        receivedAt,
        keyHash,
        replay,
        userProperties,
      };
      items.push(new FramedItem(said, buffer, at, at + length));
      at += length;
    }
  } catch (error) {
    if (error instanceof RangeError) throw new FrameError('truncated');
    throw error;
  }
  if (at !== buffer.length) throw new FrameError('bytes after the last item');
  return { batchId: uuidText(buffer.subarray(1, 17)), items };
}

function sameBytes(buffer: Buffer, one: number, other: number, length: number): boolean {
  for (let index = 0; index < length; index++) {
    if (buffer[one + index] !== buffer[other + index]) return false;
  }
  return true;
}

const flagsOf = (item: FrameItem): number =>
  (item.dup ? FLAG_DUP : 0) |
  (item.keyHash ? FLAG_KEYED : 0) |
  (item.replay ? FLAG_REPLAY : 0) |
  (item.userProperties ? FLAG_PROPERTIED : 0);

function readReplay(buffer: Buffer, at: number): Replay {
  const part = buffer.readUInt16LE(at + 8);
  return {
    quarantineId: buffer.readBigInt64LE(at).toString(),
    part: part === WHOLE ? undefined : part,
  };
}
