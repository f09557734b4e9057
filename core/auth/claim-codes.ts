import { createHmac, randomBytes } from 'node:crypto';

/** A code just made; the only time it is there. */
export interface NewClaimCode {
  /** As a person reads and types it: four groups of four, `7K3M-9QXD-T2WV-4B8C`. */
  readonly code: string;
  readonly hash: Buffer;
  /** The last four characters, by which a person tells two codes apart. */
  readonly hint: string;
}

/** Crockford's base 32: no I, L, O or U. */
const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
/** 75 random bits, and five that check them. */
const RANDOM_CHARACTERS = 15;
const CODE = /^[0-9A-HJKMNP-TV-Z]{16}$/;
const MAX_TYPED = 64;

/** A new claim code. Guessing one of a million live ones at a million tries a second takes a thousand years. */
export function createClaimCode(key: Buffer): NewClaimCode {
  const digits = [...randomBytes(RANDOM_CHARACTERS)].map((byte) => byte & 31);
  const plain = [...digits, checkOf(digits)].map((digit) => ALPHABET[digit]).join('');
  return {
    code: (plain.match(/.{4}/g) ?? []).join('-'),
    hash: hashClaimCode(key, plain),
    hint: plain.slice(-4),
  };
}

/**
 * The code in what somebody typed: case, hyphens and spaces do not matter, O counts as 0, I and L as 1.
 * Undefined when it cannot be one of ours: every single wrong character and every two swapped ones are noticed.
 */
export function readClaimCode(typed: string): string | undefined {
  if (typed.length > MAX_TYPED) return undefined;
  const plain = typed.toUpperCase().replace(/[\s-]/g, '').replaceAll('O', '0').replace(/[IL]/g, '1');
  if (!CODE.test(plain)) return undefined;
  const digits = [...plain].map((character) => ALPHABET.indexOf(character));
  return checkOf(digits.slice(0, -1)) === digits.at(-1) ? plain : undefined;
}

/** HMAC-SHA-256 under a server key, of a code as `readClaimCode` returns it. */
export function hashClaimCode(key: Buffer, plain: string): Buffer {
  return createHmac('sha256', key).update(plain).digest();
}

/**
 * The digits as coefficients of a polynomial over GF(32), evaluated at a generator: no power of it below the 31st
 * repeats, so that any one error and any one transposition changes the outcome.
 */
const checkOf = (digits: readonly number[]): number => digits.reduce((sum, digit) => double(sum ^ digit), 0);

/** Times x modulo x⁵ + x² + 1. */
const double = (value: number): number => ((value << 1) & 31) ^ (value & 16 ? 0b00101 : 0);
