import { describe, expect, it } from 'vitest';
import { boundsOf, fixedRange, spans, timeRangeCodec } from './time-range.ts';

const parse = (query: string) => timeRangeCodec.parse(new URLSearchParams(query));

describe('the time range in the URL', () => {
  it('is the last hour, live, when nothing is said', () => {
    expect(parse('')).toEqual({ kind: 'live', span: spans[1] });
    expect(timeRangeCodec.format(parse('')).size).toBe(0);
  });

  it('reads back moving and fixed ranges', () => {
    for (const query of [
      'range=15m',
      'range=30d',
      'from=2026-01-31T08%3A00%3A00.000Z&to=2026-01-31T09%3A30%3A00.000Z',
    ]) {
      expect(timeRangeCodec.format(parse(query)).toString()).toBe(query);
    }
  });

  it('falls back to live for instants that are not a range', () => {
    expect(parse('from=2026-01-31T09:00:00Z&to=2026-01-31T08:00:00Z').kind).toBe('live');
    expect(parse('from=yesterday&to=now&range=7d')).toEqual({ kind: 'live', span: spans[4] });
  });
});

it('makes a range out of a drag in either direction, never shorter than a second', () => {
  expect(fixedRange(9_000.4, 2_000)).toEqual({ kind: 'fixed', fromMs: 2_000, toMs: 9_000 });
  expect(fixedRange(5_000, 5_010)).toEqual({ kind: 'fixed', fromMs: 5_000, toMs: 6_000 });
});

it('ends a live range at the given instant', () => {
  expect(boundsOf({ kind: 'live', span: spans[0] }, 1_000_000)).toEqual({ fromMs: 100_000, toMs: 1_000_000 });
});
