import { type IPublishPacket, parser } from 'mqtt-packet';
import { describe, expect, it } from 'vitest';
import { type DownlinkMessage, DownlinkSession } from './downlink-session.ts';

const message = (text: string, qos: 0 | 1 = 1): DownlinkMessage => ({
  ...{ leaf: 'commands', qos, retain: true },
  payload: Buffer.from(text),
});

function attach(session: DownlinkSession): IPublishPacket[] {
  const received: IPublishPacket[] = [];
  const reader = parser();
  reader.on('packet', (packet) => packet.cmd === 'publish' && received.push(packet));
  session.attach((bytes) => reader.parse(bytes));
  return received;
}

describe('a downlink session', () => {
  it('sends at the lower of both qualities, without the retain flag', () => {
    const session = new DownlinkSession('acme', 'd1', 'c');
    const received = attach(session);
    expect(session.deliver(message('nobody listens'))).toBe('not_subscribed');
    session.subscribe('tenant/acme/device/d1/#', 0);
    expect(session.deliver(message('a'))).toBe('sent');
    session.subscribe('tenant/acme/device/d1/commands', 2);
    expect(session.deliver(message('b'))).toBe('sent');
    expect(session.deliver(message('c', 0))).toBe('sent');
    expect(received.map((packet) => [packet.qos, packet.retain, String(packet.payload)])).toEqual([
      [0, false, 'a'],
      [1, false, 'b'],
      [0, false, 'c'],
    ]);
    session.unsubscribe('tenant/acme/device/d1/commands');
    session.unsubscribe('tenant/acme/device/d1/#');
    expect(session.subscribed).toBe(false);
  });

  it('keeps a window, queues behind it, and says when that is full', () => {
    const session = new DownlinkSession('acme', 'd1', 'c');
    const received = attach(session);
    session.subscribe('tenant/acme/device/d1/commands', 1);
    const outcomes = Array.from({ length: 150 }, (_, index) => session.deliver(message(`${index}`)));
    expect([outcomes[15], outcomes[16], outcomes[143], outcomes[144]]).toEqual([
      'sent',
      'queued',
      'queued',
      'overflow',
    ]);
    expect(received).toHaveLength(16);
    for (let index = 0; index < received.length; index++)
      session.acknowledge(received[index]?.messageId ?? 0);
    expect(received.map((packet) => String(packet.payload))).toEqual(
      Array.from({ length: 144 }, (_, index) => `${index}`),
    );
    session.acknowledge(9_999);
  });

  it('sends again what was not acknowledged when it is carried on', () => {
    const session = new DownlinkSession('acme', 'd1', 'c');
    const first = attach(session);
    session.subscribe('tenant/acme/device/d1/commands', 1);
    session.deliver(message('a'));
    session.deliver(message('b'));
    session.acknowledge(first[0]?.messageId ?? 0);
    session.detach();
    expect(session.deliver(message('while away'))).toBe('not_subscribed');
    const again = attach(session);
    expect(again.map((packet) => [packet.dup, packet.messageId, String(packet.payload)])).toEqual([
      [true, first[1]?.messageId, 'b'],
    ]);
  });

  it('grants its own filters again and again, and nothing of another device', () => {
    const session = new DownlinkSession('acme', 'd1', 'c');
    const filters = Array.from({ length: 6 }, (_, bits) => ['commands', '+', '#'][bits % 3]);
    for (const filter of filters) expect(session.subscribe(`tenant/acme/device/d1/${filter}`, 1)).toBe(1);
    expect(session.subscribe('tenant/acme/device/d2/commands', 1)).toBe(0x80);
  });
});
