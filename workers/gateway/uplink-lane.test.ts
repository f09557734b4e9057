import fc from 'fast-check';
import { generate } from 'mqtt-packet';
import { Histogram } from 'prom-client';
import { describe, expect, it } from 'vitest';
import { PROVISION_TOKEN_MARKER } from '#core/fleet/provision-token.ts';
import type { Intake } from './intake.ts';
import type { MessageTally } from './metrics.ts';
import { PacketReader } from './packet-reader.ts';
import { createUplinkPool, type Uplink } from './uplink.ts';
import { UplinkLane } from './uplink-lane.ts';

const tally: MessageTally = {
  accepted: {
    ...{ telemetry: 0, heartbeat: 0, status: 0, connected: 0, disconnected: 0 },
    ...{ shadow_reported: 0, command_ack: 0, ota_status: 0 },
  },
  payloadBytes: 0,
  pubacks: 0,
  qos0Lost: 0,
  publish: () => undefined,
};
const storeSeconds = new Histogram({ name: 'test', help: 'test', registers: [] });

function openLane(maxInflight = 1_000) {
  const sent: Uplink[] = [];
  const told = { acks: 0, full: [] as boolean[], lost: 0 };
  const intake: Intake = {
    ...{ pool: createUplinkPool(100), tally, congested: false },
    send: (uplink) => sent.push(uplink),
    announce: () => undefined,
    register: () => undefined,
    unregister: () => undefined,
  };
  const lane = new UplinkLane({
    ...{ tenant: 'acme', device: 'd1', intake, maxPayloadBytes: 100, maxInflight, storeSeconds },
    onAcks: () => {
      told.acks += 1;
    },
    onFull: (full) => told.full.push(full),
    onLost: () => {
      told.lost += 1;
    },
  });
  const publish = (messageId: number, over: { topic?: string; payload?: string; qos?: 0 | 1 | 2 } = {}) => {
    const reader = new PacketReader(10_000, PROVISION_TOKEN_MARKER);
    const { topic = 'tenant/acme/device/d1/telemetry', payload = '{}', qos = 1 } = over;
    reader.push(generate({ cmd: 'publish', topic, qos, messageId, payload, dup: false, retain: false }));
    expect(reader.next()).toBe(true);
    return lane.publish(reader, Date.now());
  };
  const acknowledged = () => {
    const bytes = lane.takeAcks() ?? Buffer.alloc(0);
    return Array.from({ length: bytes.length / 4 }, (_, index) => bytes.readUInt16BE(index * 4 + 2));
  };
  return { lane, sent, told, publish, acknowledged };
}

describe('the lane of a connection', () => {
  it('acknowledges in the order of the publishes, in whatever order they are stored', () => {
    const order = fc.shuffledSubarray(
      Array.from({ length: 20 }, (_, index) => index),
      { minLength: 20 },
    );
    fc.assert(
      fc.property(order, (stored) => {
        const { lane, sent, publish, acknowledged } = openLane();
        for (let id = 1; id <= 20; id++) publish(id);
        const records = [...sent];
        const got: number[] = [];
        for (const [turn, index] of stored.entries()) {
          records[index]?.done(undefined, { batchId: 'x', index });
          got.push(...acknowledged());
          const done = new Set(stored.slice(0, turn + 1));
          let front = 0;
          while (done.has(front)) front += 1;
          expect(got).toEqual(Array.from({ length: front }, (_, id) => id + 1));
        }
        expect(lane.inflight).toBe(0);
      }),
    );
  });

  it('knows its own topics in every dialect, and nobody else’s', () => {
    const { sent, publish } = openLane();
    for (const topic of [
      'tenant/acme/device/d1/ota/status',
      'iot/d1/telemetry',
      'iot/d1/hello',
      'iot/d1/status',
      'iot/d1/command/ack',
      'iot/d1/ota/status',
      'v1/telemetry/acme/d1',
    ]) {
      expect(publish(1, { topic })).toBeUndefined();
    }
    expect(sent.map(({ kind, dialect }) => `${dialect} ${kind}`)).toEqual([
      'canonical ota_status',
      'meter2 telemetry',
      'meter2 heartbeat',
      'meter2 status',
      'meter2 command_ack',
      'meter2 ota_status',
      'argus1 telemetry',
    ]);
    for (const topic of [
      'iot/d2/telemetry',
      'iot/d1/command',
      'iot/d1',
      'v1/telemetry/rival/d1',
      'v1/telemetry/acme/d',
    ]) {
      expect(publish(1, { topic })).toBe('topic');
    }
  });

  it('never acknowledges what was given up, nor anything after it', () => {
    const { sent, told, publish, acknowledged } = openLane();
    for (let id = 1; id <= 3; id++) publish(id);
    const [first, second, third] = [...sent];
    first?.done(undefined, { batchId: 'x', index: 0 });
    second?.done(new Error('refused'), undefined);
    third?.done(undefined, { batchId: 'x', index: 2 });
    expect(acknowledged()).toEqual([1]);
    expect(told.lost).toBe(1);
  });

  it('says when its window is full, and when half of it is free again', () => {
    const { sent, told, publish } = openLane(4);
    for (let id = 1; id <= 4; id++) publish(id);
    expect(told.full).toEqual([true]);
    const records = [...sent];
    records[0]?.done(undefined, undefined);
    expect(told.full).toEqual([true]);
    records[1]?.done(undefined, undefined);
    expect(told.full).toEqual([true, false]);
  });

  it.each([
    ['topic', { topic: 'tenant/acme/device/d2/telemetry' }],
    ['topic', { topic: 'tenant/acme/device/d1/commands' }],
    ['topic', { topic: 'tenant/acme/device/d1/' }],
    ['topic', { topic: 'tenant/acme/device/d1/telemetryx' }],
    ['topic', { topic: 't' }],
    ['payload_too_large', { payload: 'x'.repeat(101) }],
    ['qos_unsupported', { qos: 2 as const }],
  ])('refuses: %s %j', (refusal, over) => {
    const { sent, publish } = openLane();
    expect(publish(1, over)).toBe(refusal);
    expect(sent).toEqual([]);
  });

  it.each([
    ['telemetry', 'telemetry'],
    ['heartbeat', 'heartbeat'],
    ['status', 'status'],
    ['shadow/reported', 'shadow_reported'],
    ['commands/ack', 'command_ack'],
    ['ota/status', 'ota_status'],
  ])('takes %s for %s', (leaf, kind) => {
    const { sent, publish } = openLane();
    expect(publish(1, { topic: `tenant/acme/device/d1/${leaf}` })).toBeUndefined();
    expect(sent[0]?.kind).toBe(kind);
  });
});
