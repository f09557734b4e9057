import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  afterHearing,
  applySignal,
  fadesAt,
  freshnessAt,
  type PresenceSignal,
  type PresenceState,
  presenceChanged,
  withFreshness,
} from './presence.ts';

const unknown: PresenceState = {
  connection: 'UNKNOWN',
  epoch: 0n,
  connectionChangedAt: null,
  freshness: 'SILENT',
  lastSeenAt: null,
  credential: 'NONE',
  missingMetrics: [],
};
const fold = (signals: readonly PresenceSignal[], from = unknown) => signals.reduce(applySignal, from);
const connected = (epoch: bigint, at = Number(epoch)): PresenceSignal => ({ kind: 'connected', at, epoch });
const disconnected = (epoch: bigint, at = Number(epoch)): PresenceSignal => ({
  kind: 'disconnected',
  at,
  epoch,
});

describe('presence', () => {
  it('fades exactly when it says so', () => {
    const state = { ...unknown, freshness: 'FRESH' as const, lastSeenAt: 1_000 };
    expect(fadesAt(state, 5)).toBe(11_000);
    expect(freshnessAt(11_000, 1_000, 5)).toBe('FRESH');
    expect(freshnessAt(11_001, 1_000, 5)).toBe('STALE');
    expect(fadesAt({ ...state, freshness: 'STALE' }, 5)).toBe(51_000);
    expect(fadesAt({ ...state, freshness: 'SILENT' }, 5)).toBeNull();
  });

  it('does not let a late disconnect hide a newer connect', () => {
    expect(fold([connected(1n), connected(2n), disconnected(1n)])).toMatchObject({
      connection: 'ONLINE',
      epoch: 2n,
    });
  });

  it('lets the end of a session win over its beginning, whichever comes first', () => {
    expect(fold([disconnected(3n), connected(3n)])).toMatchObject({ connection: 'OFFLINE', epoch: 3n });
  });

  it('ends the same whatever the order of sessions', () => {
    const all = [connected(1n), disconnected(1n), connected(2n), disconnected(2n), connected(3n)];
    fc.assert(
      fc.property(fc.shuffledSubarray(all, { minLength: all.length }), (signals) => {
        expect(fold(signals)).toMatchObject({ connection: 'ONLINE', epoch: 3n });
      }),
    );
  });

  it('knows nothing of a session whose gateway is gone, until the gateway says otherwise', () => {
    const lost = fold([connected(1n), { kind: 'lost', at: 9, epoch: 1n }]);
    expect(lost.connection).toBe('UNKNOWN');
    expect(fold([connected(1n, 10)], lost).connection).toBe('ONLINE');
    expect(fold([{ kind: 'lost', at: 9, epoch: 1n }], fold([connected(1n), connected(2n)])).connection).toBe(
      'ONLINE',
    );
  });

  it('takes the word of a device only where no session of ours knows better', () => {
    expect(fold([{ kind: 'said', at: 5, connection: 'ONLINE' }]).connection).toBe('ONLINE');
    expect(fold([connected(1n), { kind: 'said', at: 5, connection: 'OFFLINE' }]).connection).toBe('ONLINE');
  });

  it('counts any traffic as a sign of life, the newest wins', () => {
    expect(
      fold([
        { kind: 'traffic', at: 9 },
        { kind: 'traffic', at: 5 },
      ]).lastSeenAt,
    ).toBe(9);
  });

  it('fades after two and after ten missed intervals', () => {
    expect(freshnessAt(120_000, 0, 60)).toBe('FRESH');
    expect(freshnessAt(120_001, 0, 60)).toBe('STALE');
    expect(freshnessAt(600_001, 0, 60)).toBe('SILENT');
    expect(freshnessAt(0, null, 60)).toBe('SILENT');
  });

  it('is stale at best while a required metric is missing', () => {
    const lacking = { ...unknown, missingMetrics: ['voltage'] };
    const heard = fold([{ kind: 'traffic', at: 9 }], lacking);
    expect(afterHearing(lacking, heard).freshness).toBe('STALE');
    expect(withFreshness(heard, 10, 60).freshness).toBe('STALE');
    expect(withFreshness(heard, 700_000, 60).freshness).toBe('SILENT');
    expect(withFreshness({ ...heard, missingMetrics: [] }, 10, 60).freshness).toBe('FRESH');
    expect(presenceChanged(unknown, lacking)).toBe(true);
  });
});
