import { expect, it } from 'vitest';
import { duration, elapsed, relativeTime } from './time.ts';

const now = Date.parse('2026-03-01T12:00:00Z');

it('speaks of the past in the largest unit that fits', () => {
  expect([500, 12_000, 330_000, 10_800_000, 172_800_000].map((ms) => relativeTime(now - ms, now))).toEqual([
    'just now',
    '12 s ago',
    '5 min ago',
    '3 h ago',
    '2 d ago',
  ]);
});

it('names the future as such', () => {
  expect(relativeTime(now + 7_200_000, now)).toBe('in 2 h');
});

it('gives lengths in two units at most', () => {
  expect([0, 45_000, 5_400_000, 604_800_000, 90_061_000].map(duration)).toEqual([
    '0 s',
    '45 s',
    '1 h 30 min',
    '7 d',
    '1 d 1 h',
  ]);
});

it('counts how long something has lasted', () => {
  expect([1_000, 59_000, 61_000].map((ms) => elapsed(now - ms, now))).toEqual(['moments', '59 s', '1 min']);
});
