import { describe, expect, it } from 'vitest';
import { createClaimCode, hashClaimCode, readClaimCode } from './claim-codes.ts';

const key = Buffer.alloc(32, 1);
const CHARACTERS = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

describe('a claim code', () => {
  it('is read however a person types it', () => {
    const { code, hash, hint } = createClaimCode(key);
    expect(code).toMatch(/^([0-9A-HJKMNP-TV-Z]{4}-){3}[0-9A-HJKMNP-TV-Z]{4}$/);
    const plain = code.replaceAll('-', '');
    const confused = code.toLowerCase().replaceAll('0', 'o').replaceAll('1', 'l');
    for (const typed of [code, plain, ` ${code.replaceAll('-', ' ')} `, confused])
      expect(readClaimCode(typed)).toBe(plain);
    expect(hashClaimCode(key, plain)).toEqual(hash);
    expect(hint).toBe(plain.slice(-4));
  });

  it('is noticed to be wrong with any one character changed, and with any two swapped', () => {
    const plain = createClaimCode(key).code.replaceAll('-', '');
    for (let at = 0; at < plain.length; at += 1) {
      for (const other of CHARACTERS) {
        if (other !== plain[at])
          expect(readClaimCode(plain.slice(0, at) + other + plain.slice(at + 1))).toBeUndefined();
      }
      for (let to = at + 1; to < plain.length; to += 1) {
        const swapped = [...plain];
        [swapped[at], swapped[to]] = [swapped[to] ?? '', swapped[at] ?? ''];
        if (plain[at] !== plain[to]) expect(readClaimCode(swapped.join(''))).toBeUndefined();
      }
    }
  });

  it('is nothing else', () => {
    for (const typed of ['', 'U'.repeat(16), '0'.repeat(15), `${'0'.repeat(16)}\0`, '-'.repeat(100)])
      expect(readClaimCode(typed)).toBeUndefined();
  });
});
