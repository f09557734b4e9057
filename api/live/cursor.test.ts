import { describe, expect, it } from 'vitest';
import { type CursorContent, createCursorSealer, isBefore, WHOLE } from './cursor.ts';

const sealer = createCursorSealer([Buffer.alloc(32, 1)]);
const content: CursorContent = {
  tenantId: 12,
  shard: 1023,
  created: 1_795_237_200_123,
  sequence: 9_007_199_254_740_000,
  index: WHOLE,
  at: 1_795_237_300_456,
  partial: true,
};

describe('cursor', () => {
  it('opens to what was sealed', () => {
    expect(sealer.open(sealer.seal(content))).toEqual(content);
    expect(sealer.open(sealer.seal({ ...content, index: 0, partial: false }))).toEqual({
      ...content,
      index: 0,
      partial: false,
    });
  });

  it('opens nothing that was altered, shortened, lengthened or sealed by another key', () => {
    const cursor = sealer.seal(content);
    for (let position = 0; position < cursor.length; position += 1) {
      const altered =
        cursor.slice(0, position) + (cursor[position] === 'A' ? 'B' : 'A') + cursor.slice(position + 1);
      expect(sealer.open(altered)).toBeUndefined();
    }
    expect(sealer.open(cursor.slice(1))).toBeUndefined();
    expect(sealer.open(`${cursor}A`)).toBeUndefined();
    expect(sealer.open('')).toBeUndefined();
    expect(createCursorSealer([Buffer.alloc(32, 2)]).open(cursor)).toBeUndefined();
    const rotated = createCursorSealer([Buffer.alloc(32, 2), Buffer.alloc(32, 1)]);
    expect(rotated.open(cursor)).toEqual(sealer.open(cursor));
  });

  it('orders positions by message, then by event', () => {
    const at = (sequence: number, index: number) => ({ created: 1, sequence, index });
    expect(isBefore(at(1, WHOLE), at(2, 0))).toBe(true);
    expect(isBefore(at(2, 0), at(2, 1))).toBe(true);
    expect(isBefore(at(2, 1), at(2, 1))).toBe(false);
    expect(isBefore(at(3, 0), at(2, WHOLE))).toBe(false);
  });
});
