import { describe, expect, it } from 'vitest';
import { encodeEventBatch, encodeEvents } from '#core/bus/events.ts';
import { openEvents } from '#core/bus/telemetry-batch.ts';
import { encodeTelemetry } from '#core/bus/telemetry-encoding.ts';
import { JsonText } from '#core/fleet/json-text.ts';
import { readMessageId } from '#core/fleet/message-id.ts';
import { collectSignals, type DeviceSignals } from './signals.ts';

const about = (deviceId: number) => ({ deviceId, device: `d-${deviceId}`, siteId: null });
const connected = (deviceId: number) => ({
  ...{ ...about(deviceId), at: 50, connection: 'ONLINE' as const, epoch: '7', reason: 'test' },
});
const reading = (deviceId: number, receivedAt: number) => ({
  ...{ identity: about(deviceId), ts: 1, id: readMessageId('1'), receivedAt },
  ...{ metrics: JsonText.of('{"n":1}'), shape: 'n' },
});

const heardIn = (...messages: readonly Uint8Array[]) => {
  const heard = new Map<number, DeviceSignals>();
  for (const bytes of messages) collectSignals(openEvents(bytes), heard);
  return [...heard.values()].map(({ tenantId, deviceId, signals }) => [
    tenantId,
    deviceId,
    ...signals.map(({ kind, at }) => `${kind} ${at}`),
  ]);
};

describe('what is heard of devices', () => {
  it('is their traffic and what came with it, each under its own tenant', () => {
    const signs = [
      {
        kind: 'heartbeat' as const,
        parts: [{ tenant: 'acme', tenantId: 1, events: [{ ...about(11), at: 40 }] }],
      },
      { kind: 'session' as const, parts: [{ tenant: 'other', tenantId: 2, events: [connected(20)] }] },
    ];
    const acme = { tenant: 'acme', tenantId: 1, events: [reading(10, 30), reading(10, 60)] };
    const other = { tenant: 'other', tenantId: 2, events: [reading(20, 35)] };
    expect(heardIn(encodeTelemetry([acme, other], signs))).toEqual([
      [1, 10, 'traffic 60'],
      [2, 20, 'traffic 35', 'connected 50'],
      [1, 11, 'traffic 40'],
    ]);
  });

  it('is the same from messages without readings, of one tenant or of several', () => {
    const parts = [
      { tenant: 'acme', tenantId: 1, events: [connected(10)] },
      { tenant: 'other', tenantId: 2, events: [connected(20)] },
    ];
    const single = encodeEvents({
      v: 1,
      kind: 'session',
      tenant: 'acme',
      tenantId: 1,
      events: [connected(12)],
    });
    expect(heardIn(encodeEventBatch({ kind: 'session', parts }), single)).toEqual([
      [1, 10, 'connected 50'],
      [2, 20, 'connected 50'],
      [1, 12, 'connected 50'],
    ]);
  });
});
