import { randomFillSync } from 'node:crypto';

const random = new Uint8Array(4096);
let used = random.length;

/**
 * Writes a UUID version 7 (RFC 9562): 48 bits of milliseconds, then random. Ids sort by time, and
 * the time can be read back with `uuidTime`.
 */
export function writeUuidV7(target: Uint8Array, offset: number, now: number): void {
  if (used + 10 > random.length) {
    randomFillSync(random);
    used = 0;
  }
  for (let index = 5, rest = now; index >= 0; index--) {
    target[offset + index] = rest % 256;
    rest = Math.floor(rest / 256);
  }
  for (let index = 6; index < 16; index++) target[offset + index] = random[used++] ?? 0;
  target[offset + 6] = ((target[offset + 6] ?? 0) & 0x0f) | 0x70;
  target[offset + 8] = ((target[offset + 8] ?? 0) & 0x3f) | 0x80;
}

/** The canonical text of 16 bytes. */
export function uuidText(bytes: Uint8Array): string {
  const hex = Buffer.from(bytes.buffer, bytes.byteOffset, 16).toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

/** The time in a version 7 UUID, milliseconds since the epoch. */
export function uuidTime(text: string): number {
  return Number.parseInt(text.slice(0, 8) + text.slice(9, 13), 16);
}
