import { type IPublishPacket, parser } from 'mqtt-packet';
import { describe, expect, it } from 'vitest';
import type { StreamPlace } from '#core/bus/follow.ts';
import type { ClientLimits } from './admission.ts';
import { type DownlinkMessage, type DownlinkOutcome, DownlinkSession } from './downlink-session.ts';
import { Inbox } from './inbox.ts';
import { keptStateOf, readKeptState } from './kept-state.ts';
import type { ProtocolVersion } from './protocol/read-connect.ts';
import { REASON } from './protocol/reason.ts';

const CREATED = '2026-01-01T00:00:00Z';
let newest = 0;
const QUIET = {
  onOutcome: () => undefined,
  onBehind: () => undefined,
  onLacking: () => undefined,
  onReceived: () => undefined,
};

const message = (text: string, qos: 0 | 1 = 1): DownlinkMessage & { place: StreamPlace } => ({
  ...{ leaf: 'commands', qos, retain: true },
  payload: Buffer.from(text),
  place: { createdAt: CREATED, sequence: ++newest },
});

const NO_LIMITS: ClientLimits = {
  ...{ receiveMaximum: 65_535, maxPacketBytes: Number.POSITIVE_INFINITY, topicAliasMaximum: 0 },
  wantsReasons: true,
};

function attach(
  session: DownlinkSession,
  version: ProtocolVersion = 4,
  limits: Partial<ClientLimits> = {},
): IPublishPacket[] {
  const received: IPublishPacket[] = [];
  const reader = parser({ protocolVersion: version });
  reader.on('packet', (packet) => packet.cmd === 'publish' && received.push(packet));
  session.attach({ version, limits: { ...NO_LIMITS, ...limits }, write: (bytes) => reader.parse(bytes) });
  return received;
}

describe('a downlink session', () => {
  it('sends at the lower of both qualities, without the retain flag', () => {
    const session = new DownlinkSession('acme', 'd1', QUIET);
    const received = attach(session);
    expect(session.deliver(message('nobody listens'))).toBe('not_subscribed');
    session.filters.add('tenant/acme/device/d1/#', 0);
    expect(session.deliver(message('a'))).toBe('sent');
    session.filters.add('tenant/acme/device/d1/commands', 2);
    expect(session.deliver(message('b'))).toBe('sent');
    expect(session.deliver(message('c', 0))).toBe('sent');
    expect(received.map((packet) => [packet.qos, packet.retain, String(packet.payload)])).toEqual([
      [0, false, 'a'],
      [1, false, 'b'],
      [0, false, 'c'],
    ]);
    session.filters.remove('tenant/acme/device/d1/commands');
    session.filters.remove('tenant/acme/device/d1/#');
    expect(session.filters.size).toBe(0);
  });

  it('keeps a window, queues behind it, and says when that is full', () => {
    const session = new DownlinkSession('acme', 'd1', QUIET);
    const received = attach(session);
    session.filters.add('tenant/acme/device/d1/commands', 1);
    const outcomes = Array.from({ length: 150 }, (_, index) => session.deliver(message(`${index}`)));
    expect([outcomes[15], outcomes[16], outcomes[143], outcomes[144]]).toEqual([
      'sent',
      'queued',
      'queued',
      'later',
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
    const session = new DownlinkSession('acme', 'd1', QUIET);
    const first = attach(session);
    session.filters.add('tenant/acme/device/d1/commands', 1);
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

  it('grants its own filters, and says why not in every other case', () => {
    const { filters } = new DownlinkSession('acme', 'd1', QUIET);
    for (const end of ['commands', '+', '#', 'commands'])
      expect(filters.add(`tenant/acme/device/d1/${end}`, 1)).toBe(1);
    expect(filters.add('tenant/acme/device/d2/commands', 1)).toBe(REASON.NOT_AUTHORIZED);
    expect(filters.add('tenant/acme/device/d1/#/x', 1)).toBe(REASON.TOPIC_FILTER_INVALID);
    expect(filters.add('$share/g/tenant/acme/device/d1/#', 1)).toBe(
      REASON.SHARED_SUBSCRIPTIONS_NOT_SUPPORTED,
    );
    expect(filters.size).toBe(3);
  });

  it('tells MQTT 5 the rest of the message’s life, what it is, and by which subscriptions it comes', () => {
    const session = new DownlinkSession('acme', 'd1', QUIET);
    const received = attach(session, 5);
    session.filters.add('tenant/acme/device/d1/#', 1, 7);
    session.filters.add('tenant/acme/device/d1/commands', 1, 300);
    session.deliver({
      ...message('a'),
      ...{ expiresAt: Date.now() + 60_000, contentType: 'application/json', userProperties: [['k', 'v']] },
    });
    expect(received[0]?.properties).toMatchObject({
      ...{ messageExpiryInterval: 60, contentType: 'application/json', subscriptionIdentifier: [7, 300] },
      userProperties: { k: 'v' },
    });
  });

  it('delivers nothing that has expired, waiting or not', () => {
    const outcomes: DownlinkOutcome[] = [];
    const session = new DownlinkSession('acme', 'd1', {
      ...QUIET,
      onOutcome: (outcome) => outcomes.push(outcome),
    });
    const received = attach(session, 5, { receiveMaximum: 1 });
    session.filters.add('tenant/acme/device/d1/#', 1);
    const past = { ...message('late'), expiresAt: Date.now() - 1 };
    expect(session.deliver(past)).toBe('expired');
    expect(session.deliver(message('a'))).toBe('sent');
    expect(session.deliver(past)).toBe('queued');
    expect(session.deliver(message('b'))).toBe('queued');
    session.acknowledge(received[0]?.messageId ?? 0);
    expect(received.map((packet) => String(packet.payload))).toEqual(['a', 'b']);
    expect(outcomes).toEqual(['expired', 'sent']);
  });

  it('stays within the window, the packet size and the aliases of its client', () => {
    const session = new DownlinkSession('acme', 'd1', QUIET);
    const received = attach(session, 5, { receiveMaximum: 2, maxPacketBytes: 100, topicAliasMaximum: 1 });
    session.filters.add('tenant/acme/device/d1/#', 1);
    expect(session.deliver(message('x'.repeat(100)))).toBe('too_large');
    expect([1, 2, 3].map((index) => session.deliver(message(`${index}`)))).toEqual([
      'sent',
      'sent',
      'queued',
    ]);
    session.acknowledge(received[0]?.messageId ?? 0);
    session.deliver({ ...message('4', 0), leaf: 'ota' });
    const named = received.map(({ topic, properties }) => [topic, properties?.topicAlias]);
    expect(named).toEqual([
      ['tenant/acme/device/d1/commands', 1],
      ['', 1],
      ['', 1],
      ['tenant/acme/device/d1/ota', undefined],
    ]);
    session.detach();
    const again = attach(session, 5, { receiveMaximum: 1 });
    expect(again.map((packet) => [packet.topic, packet.dup, String(packet.payload)])).toEqual([
      ['tenant/acme/device/d1/commands', true, '2'],
    ]);
    session.acknowledge(again[0]?.messageId ?? 0);
    expect(again.map((packet) => [packet.dup, String(packet.payload)])).toEqual([
      [true, '2'],
      [false, '3'],
    ]);
  });
});

describe('a session that lacks messages', () => {
  const open = (qos: 0 | 1 = 1) => {
    let asked = 0;
    const session = new DownlinkSession('acme', 'd1', { ...QUIET, onBehind: () => asked++ });
    session.filters.add('tenant/acme/device/d1/#', qos);
    return { session, asked: () => asked };
  };
  const texts = (received: readonly IPublishPacket[]) => received.map(({ payload }) => String(payload));
  const at = (sequence: number) => ({ createdAt: CREATED, sequence });

  it('takes newer ones only behind them, and each once', () => {
    const { session, asked } = open();
    const first = attach(session);
    session.deliver(message('a'));
    session.acknowledge(first[0]?.messageId ?? 0);
    session.detach();
    const missed = [message('b'), message('c')];
    const live = message('d');
    const received = attach(session);
    expect([asked(), session.wantsMore, session.resumeAfter]).toEqual([1, true, session.place]);
    expect(session.deliver(live)).toBe('later');
    session.caughtUp(missed, missed[1]?.place ?? at(0));
    expect([texts(received), session.wantsMore]).toEqual([['b', 'c'], true]);
    session.caughtUp([...missed, live], live.place);
    expect([texts(received), session.wantsMore]).toEqual([['b', 'c', 'd'], false]);
    expect(session.deliver(message('e'))).toBe('sent');
    expect(received.map(({ dup }) => dup)).toEqual([false, false, false, false]);
  });

  it('because its queue was full takes the rest when there is room again, all of it in order', () => {
    const { session, asked } = open();
    const received = attach(session);
    const all = Array.from({ length: 400 }, (_, index) => message(`${index}`));
    for (const each of all) session.deliver(each);
    const last = all[399]?.place ?? at(0);
    for (let index = 0; index < 400; index++) {
      session.acknowledge(received[index]?.messageId ?? 0);
      const after = session.resumeAfter?.sequence ?? 0;
      if (session.wantsMore)
        session.caughtUp(
          all.filter(({ place }) => place.sequence > after),
          last,
        );
    }
    expect(texts(received)).toEqual(all.map(({ payload }) => String(payload)));
    expect([session.wantsMore, asked() > 2]).toEqual([false, true]);
  });

  it('goes on elsewhere: what was on its way goes out again under its id, what was acknowledged does not', () => {
    const here = open();
    const first = attach(here.session);
    const all = ['a', 'b', 'c'].map((text) => message(text));
    for (const each of all) here.session.deliver(each);
    here.session.acknowledge(first[1]?.messageId ?? 0);
    const kept = readKeptState(
      JSON.parse(JSON.stringify(keptStateOf({ downlink: here.session, inbox: new Inbox([7]) }))),
    );
    expect(kept?.unreleased).toEqual([7]);
    const there = open();
    if (kept) there.session.restore(kept);
    const received = attach(there.session);
    const newest = message('d');
    expect(there.session.resumeAfter?.sequence).toBe((all[0]?.place.sequence ?? 0) - 1);
    there.session.caughtUp([...all, newest], newest.place);
    expect(received.map(({ messageId, dup, payload }) => [messageId, dup, String(payload)])).toEqual([
      [first[0]?.messageId, true, 'a'],
      [first[2]?.messageId, true, 'c'],
      [expect.any(Number), false, 'd'],
    ]);
    expect(new Set(received.map(({ messageId }) => messageId)).size).toBe(3);
  });

  it('begins at the beginning of a stream that was made anew', () => {
    const { session } = open();
    attach(session);
    session.deliver(message('a'));
    session.detach();
    const received = attach(session);
    const anew = { createdAt: '2026-02-02T00:00:00Z', sequence: 1 };
    session.caughtUp([{ ...message('b'), place: anew }], anew);
    expect(texts(received)).toEqual(['a', 'b']);
  });
});
