import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createHearing } from './hearing.ts';

let told = 0;
let taken: number | undefined;
const hearing = () => createHearing({ toldUntil: async () => told, takenUntil: async () => taken });

beforeEach(() => {
  vi.useFakeTimers({ now: 10_000 });
});
afterEach(() => {
  vi.useRealTimers();
});

describe('how far devices have been heard', () => {
  it('is how far events were told, when all of them are taken', async () => {
    [told, taken] = [9_000, 10_000];
    expect(await hearing().heardUntil()).toBe(9_000);
  });

  it('is unknown before the first moment is complete', async () => {
    const each = hearing();
    [told, taken] = [9_000, undefined];
    expect(await each.heardUntil()).toBeUndefined();
    taken = 9_999;
    expect(await each.heardUntil()).toBeUndefined();
  });

  it('goes as far as events were told by the newest that is taken, while more and more come', async () => {
    const each = hearing();
    [told, taken] = [10_000, 9_900];
    expect(await each.heardUntil()).toBeUndefined();
    vi.setSystemTime(11_000);
    [told, taken] = [10_800, 9_999];
    expect(await each.heardUntil(), 'the first mark is not reached').toBeUndefined();
    vi.setSystemTime(12_000);
    [told, taken] = [11_800, 11_500];
    expect(await each.heardUntil(), 'of the first mark').toBe(10_000);
    vi.setSystemTime(13_000);
    [told, taken] = [12_800, 12_500];
    expect(await each.heardUntil(), 'of the mark after it').toBe(11_800);
  });

  it('stands still with those who tell, and with those who take', async () => {
    const each = hearing();
    [told, taken] = [9_000, 10_000];
    await each.heardUntil();
    vi.setSystemTime(60_000);
    taken = 60_000;
    expect(await each.heardUntil(), 'nothing more was told').toBe(9_000);
    [told, taken] = [60_000, 10_000];
    expect(await each.heardUntil(), 'nothing more was taken').toBe(9_000);
    [told, taken] = [60_000, undefined];
    expect(await each.heardUntil(), 'it does not go back').toBe(9_000);
  });
});
