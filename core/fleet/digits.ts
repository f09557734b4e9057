import type { MessageId } from './message-id.ts';

const ZERO = 0x30;
const MINUS = 0x2d;

/** Characters of the longest text that `writeMessageId` writes. */
export const LONGEST_ID = 20;

/** Writes what `messageIdText` returns, and returns where it ends. */
export function writeMessageId(target: Uint8Array, from: number, { high, low }: MessageId): number {
  if (high >= 0) return writeUnsigned(target, from, high, low >>> 0);
  target[from] = MINUS;
  const rest = -low >>> 0;
  return writeUnsigned(target, from + 1, (~high >>> 0) + (rest === 0 ? 1 : 0), rest);
}

/** 64 bits as their upper and lower half. */
function writeUnsigned(target: Uint8Array, from: number, high: number, low: number): number {
  // 2^32 is 4294 * 10^6 + 967296, and each of these sums exact in a double.
  const rest = high * 967_296 + low;
  const carried = Math.floor(rest / 1e6);
  const millions = high * 4_294 + carried;
  const upper = Math.floor(millions / 1e9);
  const middle = millions - upper * 1e9;
  let at = from;
  if (upper > 0) at = writeDigits(target, at, upper, digitsOf(upper));
  if (millions > 0) at = writeDigits(target, at, middle, upper > 0 ? 9 : digitsOf(middle));
  const lower = rest - carried * 1e6;
  return writeDigits(target, at, lower, millions > 0 ? 6 : digitsOf(lower));
}

function digitsOf(value: number): number {
  let digits = 1;
  for (let limit = 10; value >= limit; limit *= 10) digits++;
  return digits;
}

/** The last `digits` of a number below 2^31. */
function writeDigits(target: Uint8Array, from: number, value: number, digits: number): number {
  let rest = value | 0;
  for (let at = from + digits - 1; at >= from; at--) {
    const tenth = (rest / 10) | 0;
    target[at] = ZERO + rest - tenth * 10;
    rest = tenth;
  }
  return from + digits;
}
