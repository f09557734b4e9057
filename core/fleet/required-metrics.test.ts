import { describe, expect, it } from 'vitest';
import { judgeMetrics, LATEST_LAG_MS, SIGN_LAG_MS, watchMetrics } from './required-metrics.ts';

const NOW = 10_000_000;
const WINDOW = 120_000;

interface Said {
  readonly since?: number;
  readonly lastSeenAt?: number | null;
  readonly dataAt?: number | undefined;
}

const judge = (
  heard: Readonly<Record<string, number>>,
  { since = 0, lastSeenAt = NOW, dataAt = lastSeenAt ?? undefined }: Said = {},
) =>
  judgeMetrics(
    {
      ...{ required: ['voltage', 'current'], since, lastSeenAt, dataAt, intervalSeconds: 60 },
      heardAt: new Map(Object.entries(heard)),
    },
    NOW,
  );

describe('required metrics', () => {
  it('are there until their device has sent others for two intervals', () => {
    expect(judge({ voltage: NOW - WINDOW, current: NOW - 5 })).toMatchObject({ missing: [] });
    expect(judge({ voltage: NOW - WINDOW - 1, current: NOW - 5 })).toEqual({
      ...{ missing: ['voltage'], dueAt: NOW - 5 + WINDOW + 1 },
    });
    expect(judge({})).toEqual({ missing: ['current', 'voltage'], dueAt: null });
  });

  it('are expected no earlier than since they are asked for', () => {
    expect(judge({}, { since: NOW - 1_000 })).toEqual({ missing: [], dueAt: NOW - 1_000 + WINDOW + 1 });
  });

  it('may be on their way where a device shows only signs of life, and are missing half a minute later', () => {
    const heard = NOW - WINDOW - SIGN_LAG_MS;
    expect(judge({ voltage: heard, current: heard }, { dataAt: heard })).toMatchObject({ missing: [] });
    const longAgo = heard - 1;
    expect(judge({ voltage: longAgo, current: longAgo }, { dataAt: longAgo })).toMatchObject({
      missing: ['current', 'voltage'],
    });
  });

  it('are not missing where their device has fallen silent with them', () => {
    const lastSeenAt = NOW - 500_000;
    const heard = { voltage: lastSeenAt, current: lastSeenAt - 1_000 };
    expect(judge(heard, { lastSeenAt })).toEqual({ missing: [], dueAt: null });
    expect(judge({}, { lastSeenAt: null })).toEqual({ missing: [], dueAt: null });
  });

  it('are looked at again no sooner than half an interval later', () => {
    const heard = { voltage: NOW - WINDOW - 50_000, current: NOW - WINDOW - 50_000 };
    expect(judge(heard, { lastSeenAt: NOW - 60_000 })).toEqual({ missing: [], dueAt: NOW + 30_000 });
  });

  it('are expected anew from a device that comes back, and looked for where they were missing', () => {
    expect(watchMetrics(NOW, [], 60)).toEqual({ dueAt: NOW + WINDOW + 1, since: NOW });
    expect(watchMetrics(NOW, ['voltage'], 60)).toEqual({ dueAt: NOW + LATEST_LAG_MS, since: null });
  });
});
