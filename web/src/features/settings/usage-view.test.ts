import { describe, expect, it } from 'vitest';
import { busiestMinute, formatBytes, formatMessages, formatShare } from './usage-view.ts';

const counts = (messages: number, bytes: number) => ({
  ...{ from: '2026-01-01T00:00:00.000Z', messages, bytes, throttled: 0, refused: 0 },
});
const limits = {
  ...{ messagesPerSecond: 10, bytesPerSecond: 1_000, connectsPerSecond: 1, burstSeconds: 10, own: [] },
  ...{ deviceMessagesPerSecond: 1, deviceBytesPerSecond: 1, deviceConnectsPerSecond: 1 },
};

describe('usage', () => {
  it('is measured against whichever limit is nearer, over whole minutes', () => {
    const minutes = [counts(60, 600), counts(300, 30_000), counts(9_999, 9_999_999)];
    expect(busiestMinute({ minutes, limits })).toEqual({ messagesPerSecond: 5, share: 0.5 });
    expect(busiestMinute({ minutes: [counts(1, 1)], limits })).toEqual({ messagesPerSecond: 0, share: 0 });
  });

  it('reads well from nothing to very much', () => {
    expect([0, 512, 1_024, 1_536, 64 * 1024 * 1024].map(formatBytes)).toEqual([
      '0 B',
      '512 B',
      '1 KiB',
      '1.5 KiB',
      '64 MiB',
    ]);
    expect([0, 1_234, 12_345_678].map(formatMessages)).toEqual(['0', '1,234', '12.3M']);
    expect([0, 0.002, 0.5, 1.2].map(formatShare)).toEqual(['0 %', '< 1 %', '50 %', '120 %']);
  });
});
