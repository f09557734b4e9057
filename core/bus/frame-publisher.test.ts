import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createFramePublisher } from './frame-publisher.ts';
import type { FrameItem } from './messages.ts';

const item: FrameItem = {
  ...{ tenant: 'acme', device: 'd', kind: 'telemetry', dialect: 'canonical', source: 'mqtt', dup: false },
  ...{ receivedAt: 0, payload: Buffer.from('{}') },
};

describe('a frame publisher', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('lets a message wait 5 ms at rest, 15 ms while thousands a second come, and 5 ms again afterwards', async () => {
    const sent: number[] = [];
    const publisher = {
      publish: async () => {
        sent.push(Date.now());
        return { stream: 'TELEMETRY', seq: 1, duplicate: false };
      },
      ...{ pending: 0, oldestPendingAt: () => undefined, close: () => undefined },
    };
    const frames = createFramePublisher({ publisher, shards: 1 });
    const waited = async (messages: number) => {
      const began = Date.now();
      for (let n = 0; n < messages; n++) frames.add(item, () => undefined);
      await vi.advanceTimersByTimeAsync(100);
      return (sent.at(-1) ?? Number.NaN) - began;
    };
    expect(await waited(1)).toBe(5);
    expect(await waited(20)).toBe(5);
    expect(await waited(60)).toBe(15);
    expect(await waited(1)).toBe(15);
    expect(await waited(1)).toBe(5);
    expect(sent).toHaveLength(5);
  });
});
