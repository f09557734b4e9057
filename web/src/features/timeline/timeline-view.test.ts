import { expect, it } from 'vitest';
import type { TimelineDevice } from './timeline-documents.ts';
import { mergeTimeline, wholeSince } from './timeline-view.ts';

const change = (at: string, connection: 'ONLINE' | 'OFFLINE') => ({
  ...{ at, connection, freshness: 'FRESH' as const, credential: 'ACTIVE' as const },
});
const device: TimelineDevice = {
  ...{ __typename: 'Device', id: 'd' },
  availability: {
    changeCount: 2,
    changes: [change('2026-01-01T10:00:00Z', 'OFFLINE'), change('2026-01-01T08:00:00Z', 'ONLINE')],
  },
  shadowHistory: {
    nodes: [{ side: 'DESIRED', version: 1, answers: null, actorName: 'Ada', at: '2026-01-01T09:00:00Z' }],
    pageInfo: { hasNextPage: false },
  },
  commands: { nodes: [], pageInfo: { hasNextPage: false } },
  sequence: {
    gaps: [{ from: 4, to: 6, missing: 3, firstSeenAt: '2026-01-01T09:30:00Z', healedAt: null }],
  },
  ...{ removedModules: [], modules: [] },
};
const day = { fromMs: Date.parse('2026-01-01T08:30:00Z'), toMs: Date.parse('2026-01-02T00:00:00Z') };

it('tells everything that happened within its bounds, the newest first', () => {
  expect(mergeTimeline(device, undefined, day).map(({ text, note }) => [text, note])).toEqual([
    ['Offline', 'Not connected'],
    ['3 messages are missing', 'numbers 4 to 6'],
    ['Version 1 is desired', 'by Ada'],
  ]);
});

it('says since when it is whole', () => {
  expect(wholeSince(device, undefined)).toBeUndefined();
  const more = { ...device, availability: { ...device.availability, changeCount: 9 } };
  expect(wholeSince(more, undefined)).toBe(Date.parse('2026-01-01T08:00:00Z'));
});
