import { expect, it } from 'vitest';
import { deltaChanges, toLocalInput } from './shadow-view.ts';

it('tells every place where a device is not as desired', () => {
  const reported = { mode: 'eco', net: { apn: 'a', mtu: 1500 }, list: [1] };
  const delta = { mode: 'full', net: { apn: 'b' }, list: [1, 2], led: { on: true } };
  expect(deltaChanges(reported, delta)).toEqual([
    { path: ['led'], before: undefined, after: { on: true } },
    { path: ['list'], before: [1], after: [1, 2] },
    { path: ['mode'], before: 'eco', after: 'full' },
    { path: ['net', 'apn'], before: 'a', after: 'b' },
  ]);
  expect(deltaChanges({ a: 1 }, {})).toEqual([]);
});

it('writes a time for an input of the reader’s zone', () => {
  expect(Date.parse(toLocalInput('2026-11-21T15:04:05Z'))).toBe(Date.parse('2026-11-21T15:04:05Z'));
  expect(toLocalInput('yesterday')).toBe('');
});
