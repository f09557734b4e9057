import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { shardOf } from '../fleet/shards.ts';
import { createFramePublisher } from './frame-publisher.ts';
import { type FrameItem, parseFrame } from './messages.ts';

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

  it('lets messages wait up to 60 ms while what comes is spread over so many shards that frames are small', async () => {
    const sizes: number[] = [];
    const publisher = {
      publish: async (_: string, payload: Uint8Array) => {
        sizes.push(parseFrame(payload).items.length);
        return { stream: '', seq: 1, duplicate: false };
      },
      ...{ pending: 0, oldestPendingAt: () => undefined, close: () => undefined },
    };
    const frames = createFramePublisher({ publisher, shards: 16 });
    const tenants = Array.from({ length: 200 }, (_, index) => `tenant-${index}`);
    for (let ms = 0; ms < 200; ms++) {
      for (let n = 0; n < 8; n++) {
        const tenant = tenants[(ms * 8 + n) % tenants.length] ?? '';
        frames.add({ ...item, tenant }, () => undefined);
      }
      await vi.advanceTimersByTimeAsync(1);
    }
    await frames.flush();
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(1_600);
    // 16 frames after 5 ms and after 15 ms, then every 60 ms: 30 messages each.
    expect(sizes.length).toBeLessThanOrEqual(16 * 6);
    expect(sizes.length).toBeGreaterThan(16 * 4);
  });

  it('lets messages wait the longer the more of them come', async () => {
    const sent: number[] = [];
    const publisher = {
      publish: async () => {
        sent.push(Date.now());
        return { stream: '', seq: 1, duplicate: false };
      },
      ...{ pending: 0, oldestPendingAt: () => undefined, close: () => undefined },
    };
    const frames = createFramePublisher({ publisher, shards: 1 });
    for (let ms = 0; ms < 1_000; ms++) {
      for (let n = 0; n < 30; n++) frames.add(item, () => undefined);
      await vi.advanceTimersByTimeAsync(1);
    }
    const gaps = sent.slice(-10).map((at, index, all) => at - (all[index - 1] ?? at - 45));
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(44);
    expect(Math.max(...gaps)).toBeLessThanOrEqual(47);
  });

  it('sends what each kind is for to the stream of that kind, in frames of one stream and shard', async () => {
    const frames: { subject: string; kinds: string[] }[] = [];
    const publisher = {
      publish: async (subject: string, payload: Uint8Array) => {
        frames.push({ subject, kinds: parseFrame(payload).items.map(({ kind }) => kind) });
        return { stream: '', seq: 1, duplicate: false };
      },
      ...{ pending: 0, oldestPendingAt: () => undefined, close: () => undefined },
    };
    const publishing = createFramePublisher({ publisher, shards: 4 });
    const receipts: (number | undefined)[] = [];
    const kinds = [
      'telemetry',
      'command_ack',
      'heartbeat',
      'shadow_reported',
      'ota_status',
      'status',
    ] as const;
    for (const kind of kinds)
      publishing.add({ ...item, kind }, (_, receipt) => receipts.push(receipt?.index));
    expect(publishing.pendingBytes).toBeGreaterThan(0);
    await publishing.flush();
    const shard = shardOf('acme', 4);
    expect(frames).toEqual([
      { subject: `telemetry.${shard}`, kinds: ['telemetry', 'heartbeat', 'status'] },
      { subject: `shadow.${shard}`, kinds: ['shadow_reported'] },
      { subject: `commands.${shard}`, kinds: ['command_ack', 'ota_status'] },
    ]);
    expect(receipts).toEqual([0, 1, 2, 0, 0, 1]);
    expect(publishing.pendingBytes).toBe(0);
  });
});
