import { expect, it } from 'vitest';
import { reconnectDelayMs } from './backoff.ts';

it('doubles the pause up to fifteen seconds', () => {
  expect([1, 2, 3, 4].map((attempt) => reconnectDelayMs(attempt, () => 1))).toEqual([300, 600, 1_200, 2_400]);
  expect(reconnectDelayMs(40, () => 1)).toBe(15_000);
});

it('spreads each pause between half and all of it', () => {
  expect(reconnectDelayMs(3, () => 0)).toBe(600);
  expect(reconnectDelayMs(3, () => 0.5)).toBe(900);
});
