import fc from 'fast-check';
import { generate, type IPublishPacket, parser } from 'mqtt-packet';
import { Histogram } from 'prom-client';
import { describe, expect, it } from 'vitest';
import { readUserProperties } from '#core/bus/user-properties.ts';
import { PROVISION_TOKEN_MARKER } from '#core/fleet/provision-token.ts';
import { Share } from '#core/fleet/share.ts';
import { Inbox } from './inbox.ts';
import type { Intake } from './intake.ts';
import type { MessageTally } from './metrics.ts';
import { PacketReader } from './packet-reader.ts';
import type { ProtocolVersion } from './protocol/read-connect.ts';
import { TOPIC_ALIAS_MAXIMUM } from './publish-properties.ts';
import { createUplinkPool, type Uplink } from './uplink.ts';
import { UplinkLane } from './uplink-lane.ts';

const tally: MessageTally = {
  accepted: {
    ...{ telemetry: 0, heartbeat: 0, status: 0, connected: 0, disconnected: 0 },
    ...{ shadow_reported: 0, command_ack: 0, ota_status: 0, command_sent: 0 },
  },
  payloadBytes: 0,
  pubacks: 0,
  qos0Lost: 0,
  answersDue: 0,
  publish: () => undefined,
};
const storeSeconds = new Histogram({ name: 'test', help: 'test', registers: [] });

interface Said {
  readonly topic?: string;
  readonly payload?: string | Buffer;
  readonly qos?: 0 | 1 | 2;
  readonly dup?: boolean;
  readonly properties?: NonNullable<IPublishPacket['properties']>;
}

function openLane(maxInflight = 1_000, version: ProtocolVersion = 4, inbox = new Inbox()) {
  const sent: Uplink[] = [];
  const told = { acks: 0, pressing: 0, full: [] as boolean[], lost: 0 };
  const intake: Intake = {
    ...{ pool: createUplinkPool(100), tally, congested: false },
    send: (uplink) => sent.push(uplink),
    announce: () => undefined,
    register: () => undefined,
    unregister: () => undefined,
  };
  const share = new Share(1_000);
  const lane = new UplinkLane({
    ...{ tenant: 'acme', device: 'd1', intake, maxPayloadBytes: 100, maxInflight, storeSeconds },
    ...{ version, inbox, maxReasonBytes: 256, share },
    onAcks: (pressing) => {
      told.acks += 1;
      if (pressing) told.pressing += 1;
    },
    onFull: (full) => told.full.push(full),
    onLost: () => {
      told.lost += 1;
    },
  });
  const publish = (messageId: number, over: Said = {}) => {
    const reader = new PacketReader(10_000, PROVISION_TOKEN_MARKER);
    const { topic = 'tenant/acme/device/d1/telemetry', payload = '{}', qos = 1, dup = false } = over;
    const said = { topic, qos, messageId, payload, dup, retain: false };
    const { properties } = over;
    const packet = { cmd: 'publish', ...said, ...(properties && { properties }) } as const;
    reader.push(generate(packet, { protocolVersion: version }));
    expect(reader.next()).toBe(true);
    return lane.publish(reader, Date.now());
  };
  /** Every answer as `{packet} {id} {reason}`. */
  const answers = () => {
    const found: string[] = [];
    const reader = parser({ protocolVersion: version });
    reader.on('packet', ({ cmd, messageId, ...rest }) =>
      found.push(`${cmd} ${messageId} ${('reasonCode' in rest && rest.reasonCode) || 0}`),
    );
    reader.parse(lane.takeAcks() ?? Buffer.alloc(0));
    return found;
  };
  const acknowledged = () => {
    const bytes = lane.takeAcks() ?? Buffer.alloc(0);
    return Array.from({ length: bytes.length / 4 }, (_, index) => bytes.readUInt16BE(index * 4 + 2));
  };
  return { lane, sent, told, publish, acknowledged, answers, inbox, share };
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

  it('says once that answers are due, and once more when there are enough of them to leave', () => {
    const { sent, told, publish, acknowledged } = openLane();
    for (let id = 1; id <= 6; id++) publish(id);
    const steps = [...sent].map((uplink) => {
      uplink.done(undefined, { batchId: 'x', index: 0 });
      return [told.acks, told.pressing];
    });
    expect(steps).toEqual([
      [1, 0],
      [1, 0],
      [1, 0],
      [2, 1],
      [2, 1],
      [2, 1],
    ]);
    expect(acknowledged()).toEqual([1, 2, 3, 4, 5, 6]);
    publish(7);
    sent.at(-1)?.done(undefined, { batchId: 'x', index: 0 });
    expect(told).toMatchObject({ acks: 3, pressing: 1 });
  });

  it('presses for the answers that a device waits for: of QoS 2, and those that refuse', () => {
    const { sent, told, publish } = openLane(1_000, 5);
    publish(1, { qos: 2 });
    sent.at(-1)?.done(undefined, { batchId: 'x', index: 0 });
    expect(told).toMatchObject({ acks: 1, pressing: 1 });
    const other = openLane(1_000, 5);
    other.publish(1, { topic: 'tenant/acme/device/d2/telemetry' });
    expect(other.told).toMatchObject({ acks: 1, pressing: 1 });
  });

  it('holds of its tenant’s share what the bus has not answered, and nothing for repeats and refusals', () => {
    const { sent, publish, share } = openLane();
    publish(1, { qos: 2, payload: 'x'.repeat(80) });
    publish(1, { qos: 2, payload: 'x'.repeat(80), dup: true });
    publish(2, { topic: 'tenant/acme/device/d2/telemetry' });
    for (let id = 3; id < 9; id++) publish(id, { payload: 'x'.repeat(78) });
    expect(share.full).toBe(false);
    publish(9, { qos: 0, payload: '' });
    expect(share.full).toBe(true);
    for (const uplink of sent.splice(0, 3)) uplink.done(undefined, { batchId: 'x', index: 0 });
    expect(share.full).toBe(true);
    for (const uplink of sent.splice(0, 1)) uplink.done(new Error('given up'), undefined);
    expect(share.full).toBe(false);
    share.take(1_000 - 3 * (78 + 64) - 64 - 1);
    expect(share.full).toBe(false);
    share.take(1);
    expect(share.full).toBe(true);
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
    ['topic_name', { topic: 'tenant/acme/device/d1/+' }],
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

const stored = (uplink: Uplink | undefined) => uplink?.done(undefined, { batchId: 'x', index: 0 });

describe('a refused PUBLISH of MQTT 5', () => {
  it.each([
    ['topic', 0x87, { topic: 'tenant/acme/device/d2/telemetry' }],
    ['topic_name', 0x90, { topic: 'tenant/acme/device/d1/#' }],
    ['payload_too_large', 0x97, { payload: 'x'.repeat(101) }],
    [
      'payload_format',
      0x99,
      { payload: Buffer.from([0xc3, 0x28]), properties: { payloadFormatIndicator: true } },
    ],
    ['content_type', 0x99, { properties: { contentType: 'text/csv' } }],
    ['user_properties', 0x97, { properties: { userProperties: { a: 'x'.repeat(1_100) } } }],
  ])('for its %s is answered %i in its turn', (refusal, reason, over) => {
    const { sent, publish, answers } = openLane(10, 5);
    publish(1);
    expect(publish(2, over)).toBe(refusal);
    expect(publish(3, { ...over, qos: 2 })).toBe(refusal);
    publish(4);
    expect(publish(5, { ...over, qos: 0 })).toBe(refusal);
    expect(sent).toHaveLength(2);
    const [first, second] = [...sent];
    stored(second);
    expect(answers()).toEqual([]);
    stored(first);
    expect(answers()).toEqual(['puback 1 0', `puback 2 ${reason}`, `pubrec 3 ${reason}`, 'puback 4 0']);
  });
});

describe('properties of MQTT 5', () => {
  it('travel on: the user’s own, but for a provision token', () => {
    const { sent, publish } = openLane(10, 5);
    publish(1, { properties: { userProperties: { trace: ['a', 'b'], provision_token: 's3cret' } } });
    publish(2, { properties: { contentType: 'application/json; charset=utf-8' } });
    expect(readUserProperties(sent[0]?.userProperties ?? Buffer.alloc(1))).toEqual([
      ['trace', 'a'],
      ['trace', 'b'],
    ]);
    expect(sent[1]?.userProperties).toBeUndefined();
  });

  it('name topics by alias, each connection its own', () => {
    const { sent, publish, answers } = openLane(10, 5);
    const alias = (topicAlias: number) => ({ properties: { topicAlias } });
    publish(1, alias(TOPIC_ALIAS_MAXIMUM));
    publish(2, { topic: '', ...alias(TOPIC_ALIAS_MAXIMUM) });
    publish(3, {
      topic: '',
      properties: { topicAlias: TOPIC_ALIAS_MAXIMUM, contentType: 'application/json' },
    });
    publish(4, { topic: 'tenant/acme/device/d1/heartbeat', ...alias(TOPIC_ALIAS_MAXIMUM) });
    publish(5, { topic: '', ...alias(TOPIC_ALIAS_MAXIMUM) });
    expect(sent.map((uplink) => uplink.kind)).toEqual([
      ...['telemetry', 'telemetry', 'telemetry', 'heartbeat', 'heartbeat'],
    ]);
    expect(publish(6, { topic: 'x', ...alias(1) })).toBe('topic');
    expect(publish(7, { topic: '', ...alias(1) })).toBe('topic');
    expect(answers()).toEqual([]);
    for (const wrong of [TOPIC_ALIAS_MAXIMUM + 1, 65_535])
      expect(() => publish(8, alias(wrong))).toThrow(expect.objectContaining({ reason: 0x94 }));
    expect(() => publish(8, { topic: '', ...alias(2) })).toThrow(expect.objectContaining({ reason: 0x82 }));
    expect(() => publish(8, { topic: '' })).toThrow(expect.objectContaining({ reason: 0x82 }));
  });

  it('include the receive maximum, for both qualities together', () => {
    const { sent, told, publish, inbox } = openLane(4, 5);
    publish(1, { qos: 2 });
    publish(2);
    publish(3, { qos: 2 });
    publish(4);
    publish(3, { qos: 2, dup: true });
    expect(() => publish(5)).toThrow(expect.objectContaining({ reason: 0x93 }));
    for (const uplink of [...sent]) stored(uplink);
    expect(() => publish(5)).not.toThrow();
    publish(6);
    expect(() => publish(7)).toThrow(expect.objectContaining({ reason: 0x93 }));
    expect(inbox.release(1)).toBe('released');
    expect(() => publish(7)).not.toThrow();
    expect(told.full).toEqual([]);
  });
});

describe('QoS 2', () => {
  it.each([4, 5] as const)(
    'of version %i takes a message once, and answers each repeat in its turn',
    (version) => {
      const { sent, publish, answers, inbox } = openLane(10, version);
      publish(1, { qos: 2 });
      publish(1, { qos: 2, dup: true });
      publish(2);
      expect(sent).toHaveLength(2);
      const [first, second] = [...sent];
      stored(second);
      expect(answers()).toEqual([]);
      expect(inbox.release(1)).toBe('early');
      stored(first);
      expect(answers()).toEqual(['pubrec 1 0', 'pubrec 1 0', 'puback 2 0']);
      publish(1, { qos: 2, dup: true });
      expect(answers()).toEqual(['pubrec 1 0']);
      expect([inbox.release(1), inbox.release(1)]).toEqual(['released', 'unknown']);
      publish(1, { qos: 2 });
      expect(sent).toHaveLength(3);
    },
  );

  it('goes on after a reconnect: a repeat of what is stored, or still on its way, is not taken again', () => {
    const inbox = new Inbox();
    const before = openLane(10, 4, inbox);
    for (const id of [1, 2, 3]) before.publish(id, { qos: 2 });
    const [first, second, third] = [...before.sent];
    stored(first);
    before.lane.close();
    const after = openLane(10, 4, inbox);
    for (const id of [1, 2, 3]) after.publish(id, { qos: 2, dup: true });
    expect(after.sent).toEqual([]);
    expect(after.answers()).toEqual(['pubrec 1 0']);
    stored(second);
    expect(after.answers()).toEqual(['pubrec 2 0']);
    third?.done(new Error('refused'), undefined);
    expect([before.told.lost, after.told.lost]).toEqual([1, 1]);
    expect(inbox.stored()).toEqual([1, 2]);
    after.publish(3, { qos: 2, dup: true });
    expect(after.sent).toHaveLength(1);
  });

  it('of 3.1.1 ends the connection when nothing is ever released', () => {
    const { sent, publish } = openLane(3);
    for (let id = 1; id <= 3; id++) publish(id, { qos: 2 });
    for (const uplink of [...sent]) stored(uplink);
    expect(() => publish(4, { qos: 2 })).toThrow(
      expect.objectContaining({ code: 'RECEIVE_MAXIMUM_EXCEEDED' }),
    );
    expect(() => publish(5)).not.toThrow();
  });
});
