import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LONGEST_ID, writeMessageId } from './digits.ts';
import { contentId, messageIdText, readMessageId, sequenceId } from './message-id.ts';

describe('message id', () => {
  it('has the text of a bigint and is found again in it', () => {
    const half = fc.oneof(
      fc.integer(),
      fc.constantFrom(0, 1, -1, 2 ** 31 - 1, -(2 ** 31), 2 ** 21, 2 ** 21 - 1),
    );
    fc.assert(
      fc.property(half, half, (high, low) => {
        const text = ((BigInt(high) << 32n) | BigInt(low >>> 0)).toString();
        expect(messageIdText({ high, low })).toBe(text);
        const bytes = Buffer.alloc(LONGEST_ID);
        expect(bytes.toString('latin1', 0, writeMessageId(bytes, 0, { high, low }))).toBe(text);
        expect(readMessageId(text)).toEqual({ high, low });
      }),
    );
  });

  it('is exact and never negative for a numbered message', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 65_535 }),
        fc.integer({ min: 0, max: 2 ** 47 - 1 }),
        (boot, sequence) => {
          expect(messageIdText(sequenceId(boot, sequence))).toBe(
            ((BigInt(boot) << 47n) | BigInt(sequence)).toString(),
          );
        },
      ),
    );
  });

  it('falls back to a hash beyond 47 bits, the same each time', () => {
    const id = sequenceId(0, 2 ** 50);
    expect(id).toEqual(sequenceId(0, 2 ** 50));
    expect(messageIdText(id)).toMatch(/^-\d+$/);
    expect(id).not.toEqual(sequenceId(0, 2 ** 50 + 1));
  });

  it('is a negative hash of device, time, bytes and part otherwise', () => {
    const bytes = Buffer.from('{"a":1}');
    const id = contentId('meter', 1_000, bytes);
    expect(id.high).toBeLessThan(0);
    expect(contentId('meter', 1_000, bytes)).toEqual(id);
    for (const other of [
      contentId('meter2', 1_000, bytes),
      contentId('meter', 1_001, bytes),
      contentId('meter', 1_000, Buffer.from('{"a":2}')),
      contentId('meter', 1_000, bytes, 1),
    ]) {
      expect(other).not.toEqual(id);
    }
  });

  it('does not collide among a hundred thousand similar messages', () => {
    const seen = new Set<string>();
    for (let index = 0; index < 100_000; index++) {
      seen.add(messageIdText(contentId('meter', 1_000, Buffer.from(`{"temperature":${index / 10}}`))));
    }
    expect(seen.size).toBe(100_000);
  });
});
