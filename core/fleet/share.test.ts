import { describe, expect, it } from 'vitest';
import { Share } from './share.ts';

describe('a share', () => {
  it('is full at its limit and free at half of it', () => {
    const share = new Share(100);
    const told: boolean[] = [];
    const end = share.watch((full) => told.push(full));
    share.take(99);
    expect(share.full).toBe(false);
    share.take(1);
    share.take(50);
    share.give(99);
    expect([share.full, told]).toEqual([true, [true]]);
    share.give(1);
    expect([share.full, told]).toEqual([false, [true, false]]);
    end();
    share.take(1_000);
    expect(told).toEqual([true, false]);
  });

  it('tells who comes when it is full', () => {
    const share = new Share(1);
    share.take(1);
    const told: boolean[] = [];
    share.watch((full) => told.push(full));
    expect(told).toEqual([true]);
  });

  it('lets nobody go on after one of them has filled it again', () => {
    const share = new Share(10);
    const told: string[] = [];
    share.watch((full) => {
      told.push(`first ${full}`);
      if (!full) share.take(10);
    });
    share.watch((full) => told.push(`second ${full}`));
    share.take(10);
    share.give(10);
    expect(told).toEqual(['first true', 'second true', 'first false', 'first true', 'second true']);
  });
});
