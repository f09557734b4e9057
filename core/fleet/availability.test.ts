import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Axes, type AxesChange, changesBetween, uptimeOf } from './availability.ts';
import type { PresenceState } from './presence.ts';

const state: PresenceState = {
  connection: 'UNKNOWN',
  epoch: 0n,
  connectionChangedAt: null,
  freshness: 'SILENT',
  lastSeenAt: null,
  credential: 'NONE',
  missingMetrics: [],
};
const silent: Axes = { connection: 'UNKNOWN', freshness: 'SILENT', credential: 'NONE' };
const online: Axes = { ...silent, connection: 'ONLINE', freshness: 'FRESH' };
const offline: Axes = { ...silent, connection: 'OFFLINE', freshness: 'FRESH' };

describe('the history of presence', () => {
  it('gives each axis its own time, in order', () => {
    const after = {
      ...state,
      connection: 'ONLINE' as const,
      connectionChangedAt: 500,
      freshness: 'FRESH' as const,
      lastSeenAt: 700,
      credential: 'ACTIVE' as const,
    };
    const changes = changesBetween(state, after, 1_000, 60);
    expect(
      changes.map(({ at, after: axes }) => [at, axes.connection, axes.freshness, axes.credential]),
    ).toEqual([
      [500, 'ONLINE', 'SILENT', 'NONE'],
      [700, 'ONLINE', 'FRESH', 'NONE'],
      [1_000, 'ONLINE', 'FRESH', 'ACTIVE'],
    ]);
    expect(changes[1]?.before).toEqual(changes[0]?.after);
  });

  it('dates silence from when it began, however late it is found out', () => {
    const before = { ...state, freshness: 'FRESH' as const, lastSeenAt: 1_000 };
    const changes = changesBetween(before, { ...before, freshness: 'SILENT' }, 9e9, 10);
    expect(changes.map(({ at, after }) => [at, after.freshness])).toEqual([
      [21_000, 'STALE'],
      [101_000, 'SILENT'],
    ]);
    const stale = { ...before, freshness: 'STALE' as const };
    expect(changesBetween(before, stale, 9e9, 10)).toMatchObject([
      { at: 21_000, after: { freshness: 'STALE' } },
    ]);
    expect(changesBetween(stale, { ...stale, freshness: 'SILENT' }, 9e9, 10)).toMatchObject([
      { at: 101_000 },
    ]);
  });

  it('dates the lack of a metric, and its end, from when they were found', () => {
    const fresh = { ...state, freshness: 'FRESH' as const, lastSeenAt: 1_000 };
    const lacking = { ...fresh, freshness: 'STALE' as const, missingMetrics: ['voltage'] };
    expect(changesBetween(fresh, lacking, 2_000, 10)).toMatchObject([
      { at: 2_000, after: { freshness: 'STALE' } },
    ]);
    expect(changesBetween(lacking, { ...fresh, lastSeenAt: 3_000 }, 5_000, 10)).toMatchObject([
      { at: 5_000, after: { freshness: 'FRESH' } },
    ]);
  });

  it('has nothing to say when nothing changed', () => {
    expect(changesBetween(state, { ...state, lastSeenAt: 5 }, 9, 10)).toEqual([]);
  });
});

describe('uptime', () => {
  const changes: AxesChange[] = [
    { at: 200, before: silent, after: online },
    { at: 600, before: online, after: offline },
  ];

  it('is the share of time connected, for the whole and for each part', () => {
    const [whole] = uptimeOf(changes, silent, { from: 0, to: 1_000 }, 1);
    expect(whole).toEqual({ knownMs: 1_000, upMs: 400, freshMs: 800 });
    const parts = uptimeOf(changes, silent, { from: 0, to: 1_000 }, 4);
    expect(parts.map(({ upMs }) => upMs)).toEqual([50, 250, 100, 0]);
  });

  it('takes the state behind the range where nothing changed in it', () => {
    expect(uptimeOf([], online, { from: 0, to: 10 }, 1)).toEqual([{ knownMs: 10, upMs: 10, freshMs: 10 }]);
    expect(uptimeOf([], online, { from: 5, to: 5 }, 2)).toEqual([
      { knownMs: 0, upMs: 0, freshMs: 0 },
      { knownMs: 0, upMs: 0, freshMs: 0 },
    ]);
  });

  it('counts a device without a session as there while its data is fresh', () => {
    const fresh = { ...silent, freshness: 'FRESH' as const };
    expect(uptimeOf([], fresh, { from: 0, to: 10 }, 1)).toMatchObject([{ upMs: 10 }]);
    expect(uptimeOf([], offline, { from: 0, to: 10 }, 1)).toMatchObject([{ upMs: 0, freshMs: 10 }]);
  });

  it('adds up, however many parts and changes there are', () => {
    const times = fc.uniqueArray(fc.integer({ min: 0, max: 9_999 }), { maxLength: 30 });
    fc.assert(
      fc.property(times, fc.integer({ min: 1, max: 60 }), (moments, count) => {
        const flips = moments
          .sort((a, b) => a - b)
          .map((at, index): AxesChange => {
            const [before, after] = index % 2 === 0 ? [silent, online] : [online, silent];
            return { at, before, after };
          });
        const last = flips.at(-1)?.after ?? silent;
        const parts = uptimeOf(flips, last, { from: 0, to: 10_000 }, count);
        const [whole] = uptimeOf(flips, last, { from: 0, to: 10_000 }, 1);
        const sum = (of: 'knownMs' | 'upMs') => parts.reduce((total, part) => total + part[of], 0);
        expect(sum('knownMs')).toBeCloseTo(10_000, 3);
        expect(sum('upMs')).toBeCloseTo(whole?.upMs ?? -1, 3);
      }),
    );
  });
});
