import { type IPublishPacket, parser } from 'mqtt-packet';
import { describe, expect, it } from 'vitest';
import { type DownlinkMessage, DownlinkSession } from './downlink-session.ts';
import { Inbox } from './inbox.ts';
import { keptStateOf, readKeptState } from './kept-state.ts';
import { RETAIN_HANDLING } from './retained-state.ts';

const TOPIC = 'tenant/acme/device/d1/shadow/desired';
const LIMITS = {
  ...{ receiveMaximum: 65_535, maxPacketBytes: Number.POSITIVE_INFINITY, topicAliasMaximum: 0 },
  wantsReasons: true,
};
let newest = 0;

/** The state as DOWNLINK has it. */
const changed = (version: number): DownlinkMessage => ({
  ...{ leaf: 'shadow/desired', qos: 1, retain: true, version, payload: Buffer.from(`${version}`) },
  place: { createdAt: '2026-01-01T00:00:00Z', sequence: ++newest },
});
/** The same as the tables have it. */
const tabled = (version: number): DownlinkMessage[] =>
  version === 0 ? [] : [{ ...changed(version), place: undefined }];

function open(session = new DownlinkSession('acme', 'd1', QUIET), receiveMaximum = 65_535) {
  const packets: IPublishPacket[] = [];
  const reader = parser({ protocolVersion: 4 });
  reader.on('packet', (packet) => packet.cmd === 'publish' && packets.push(packet));
  session.attach({
    version: 4,
    limits: { ...LIMITS, receiveMaximum },
    write: (bytes) => reader.parse(bytes),
  });
  const heard = () =>
    packets.splice(0).map(({ retain, payload }) => `${payload.toString()}${retain ? ' retained' : ''}`);
  const subscribe = (options: { qos?: number; handling?: number; asPublished?: boolean } = {}) => {
    const { qos = 1, handling = RETAIN_HANDLING.ALWAYS, asPublished = false } = options;
    session.subscribe({ filter: TOPIC, qos, retainHandling: handling, retainAsPublished: asPublished });
  };
  const read = (version: number) => {
    session.beginTables();
    session.takeTables(tabled(version));
  };
  const acknowledge = () => {
    for (const { messageId } of packets) session.acknowledge(messageId ?? 0);
  };
  return { session, packets, heard, subscribe, read, acknowledge };
}

const QUIET = {
  onOutcome: () => undefined,
  onBehind: () => undefined,
  onLacking: () => undefined,
  onReceived: () => undefined,
};

describe('what is retained for a device', () => {
  it('comes with every subscription, flagged, and at once when it changes, not flagged', () => {
    const { session, heard, subscribe, read } = open();
    expect(session.deliver(changed(1))).toBe('not_subscribed');
    subscribe();
    read(0);
    expect(heard()).toEqual([]);
    expect(session.deliver(changed(1))).toBe('sent');
    expect(session.deliver(changed(1))).toBe('repeated');
    subscribe();
    read(1);
    subscribe({ asPublished: true });
    read(1);
    session.deliver(changed(2));
    expect(heard()).toEqual(['1', '1 retained', '1 retained', '2 retained']);
  });

  it('never goes back: what changes while the tables are read comes behind them, or instead of them', () => {
    const { session, heard, subscribe } = open();
    subscribe();
    session.beginTables();
    expect(session.deliver(changed(5))).toBe('queued');
    expect(session.deliver(changed(4))).toBe('queued');
    session.takeTables(tabled(3));
    expect(session.deliver(changed(4))).toBe('repeated');
    session.beginTables();
    session.deliver(changed(6));
    session.takeTables(tabled(7));
    expect(session.deliver(changed(7))).toBe('repeated');
    expect(heard()).toEqual(['5 retained', '7']);
  });

  it('is left out where the client of MQTT 5 says so', () => {
    const { heard, subscribe, read, session } = open();
    subscribe({ handling: RETAIN_HANDLING.NEVER });
    read(3);
    expect(session.deliver(changed(3))).toBe('repeated');
    session.deliver(changed(4));
    subscribe({ handling: RETAIN_HANDLING.IF_NEW });
    read(4);
    session.filters.remove(TOPIC);
    subscribe({ handling: RETAIN_HANDLING.IF_NEW });
    read(4);
    expect(heard()).toEqual(['4', '4 retained']);
  });

  it('comes with the next connection of a kept session unless the device acknowledged it', () => {
    const first = open();
    first.subscribe();
    first.read(1);
    first.acknowledge();
    first.session.deliver(changed(2));
    expect(first.heard()).toEqual(['1 retained', '2']);
    first.session.detach();
    const again = open(first.session);
    again.read(2);
    expect(again.heard()).toEqual(['2']);
    again.session.detach();
    const third = open(again.session);
    third.acknowledge();
    expect(third.heard()).toEqual(['2']);
    const state = readKeptState(
      JSON.parse(JSON.stringify(keptStateOf({ downlink: third.session, inbox: new Inbox() }))),
    );
    expect(state).toMatchObject({ retained: 2, pending: [] });
    const elsewhere = new DownlinkSession('acme', 'd1', QUIET);
    if (state) elsewhere.restore(state);
    const fourth = open(elsewhere);
    fourth.read(2);
    expect(fourth.heard()).toEqual([]);
    fourth.session.detach();
    const fifth = open(fourth.session);
    fifth.read(3);
    expect(fifth.heard()).toEqual(['3']);
  });

  it('comes again with the next connection when nobody can know that it arrived', () => {
    const first = open();
    first.subscribe({ qos: 0 });
    first.read(1);
    first.session.detach();
    const again = open(first.session);
    again.read(1);
    expect([...first.heard(), ...again.heard()]).toEqual(['1 retained', '1']);
  });

  it('waits in its newest version only for a device that takes one message at a time', () => {
    const { session, packets, heard, subscribe, read } = open(undefined, 1);
    subscribe();
    read(1);
    for (const version of [2, 3, 4]) expect(session.deliver(changed(version))).toBe('queued');
    session.acknowledge(packets[0]?.messageId ?? 0);
    expect(heard()).toEqual(['1 retained', '4']);
  });

  it('is left to the tables when the connection ends before it was sent', () => {
    const first = open(undefined, 1);
    first.subscribe();
    first.read(1);
    expect(first.session.deliver(changed(2))).toBe('queued');
    first.session.detach();
    const again = open(first.session);
    again.read(3);
    expect([...first.heard(), ...again.heard()]).toEqual(['1 retained', '1 retained', '3']);
  });
});
