import { createHmac, createSecretKey, timingSafeEqual } from 'node:crypto';

/** The index that stands for a whole message: nothing of it is left to deliver. */
export const WHOLE = 0xffff_ffff;

/** A place on the EVENTS stream: everything up to and including event `index` of message `sequence` was delivered. */
export interface Position {
  /** When the stream was made, in ms since the epoch; another stream's sequences mean nothing. */
  readonly created: number;
  readonly sequence: number;
  readonly index: number;
}

/** What a cursor says, to us only. */
export interface CursorContent extends Position {
  readonly tenantId: number;
  readonly shard: number;
  /** When the message was published, in ms since the epoch: for counting what came after it. */
  readonly at: number;
  /** The snapshot was not finished: whoever comes back with this begins anew. */
  readonly partial: boolean;
}

/** Makes cursors that nobody else can make or alter. */
export interface CursorSealer {
  seal(content: CursorContent): string;
  /** Undefined for anything that we did not seal. Whose cursor it is, is the caller's to check. */
  open(cursor: string): CursorContent | undefined;
}

const VERSION = 1;
const PARTIAL = 1;
const CONTENT_BYTES = 36;
/** 96 bits of HMAC-SHA-256. */
const SEAL_BYTES = 12;
const CURSOR_LENGTH = ((CONTENT_BYTES + SEAL_BYTES) / 3) * 4;

/** @param keys 32 bytes each, for cursors only; the first one seals, and what any of them sealed is opened */
export function createCursorSealer(keys: readonly [Buffer, ...Buffer[]]): CursorSealer {
  // Made once: importing the key costs five times the seal itself.
  const sealKey = createSecretKey(keys[0]);
  const sealKeys = [sealKey, ...keys.slice(1).map((key) => createSecretKey(key))];
  const sign = (content: Buffer, key = sealKey) =>
    createHmac('sha256', key).update(content).digest().subarray(0, SEAL_BYTES);
  return {
    seal(content) {
      const bytes = Buffer.alloc(CONTENT_BYTES);
      bytes.writeUInt8(VERSION, 0);
      bytes.writeUInt8(content.partial ? PARTIAL : 0, 1);
      bytes.writeUInt32BE(content.tenantId, 2);
      bytes.writeUInt16BE(content.shard, 6);
      bytes.writeDoubleBE(content.created, 8);
      bytes.writeDoubleBE(content.sequence, 16);
      bytes.writeUInt32BE(content.index, 24);
      bytes.writeDoubleBE(content.at, 28);
      return Buffer.concat([bytes, sign(bytes)]).toString('base64url');
    },
    open(cursor) {
      if (cursor.length !== CURSOR_LENGTH) return undefined;
      const bytes = Buffer.from(cursor, 'base64url');
      if (bytes.length !== CONTENT_BYTES + SEAL_BYTES) return undefined;
      const content = bytes.subarray(0, CONTENT_BYTES);
      const seal = bytes.subarray(CONTENT_BYTES);
      const ours = sealKeys.some((key) => timingSafeEqual(sign(content, key), seal));
      if (!ours || content[0] !== VERSION) return undefined;
      return {
        tenantId: content.readUInt32BE(2),
        shard: content.readUInt16BE(6),
        created: content.readDoubleBE(8),
        sequence: content.readDoubleBE(16),
        index: content.readUInt32BE(24),
        at: content.readDoubleBE(28),
        partial: content[1] === PARTIAL,
      };
    },
  };
}

/** Whether `a` lies before `b` on the same stream. */
export function isBefore(a: Position, b: Position): boolean {
  return a.sequence < b.sequence || (a.sequence === b.sequence && a.index < b.index);
}
