import { type IPublishPacket, parser } from 'mqtt-packet';
import { describe, expect, it } from 'vitest';
import { type DownlinkMessage, DownlinkSession } from './downlink-session.ts';
import { Inbox } from './inbox.ts';
import { keptStateOf } from './kept-state.ts';

const CREATED = '2026-01-01T00:00:00Z';
let newest = 0;
const LIMITS = {
  ...{ receiveMaximum: 65_535, maxPacketBytes: Number.POSITIVE_INFINITY, topicAliasMaximum: 0 },
  wantsReasons: true,
};

/** A command as DOWNLINK has it. */
const command = (id: string, qos: 0 | 1 = 1): DownlinkMessage => ({
  ...{ leaf: 'commands', qos, retain: false, id, payload: Buffer.from(JSON.stringify({ command_id: id })) },
  place: { createdAt: CREATED, sequence: ++newest },
});
/** The same as the tables have it. */
const tabled = (id: string): DownlinkMessage => ({ ...command(id), place: undefined });

function open(filter = 'tenant/acme/device/d1/commands') {
  const [received, lacking]: [string[], number[]] = [[], []];
  const session = new DownlinkSession('acme', 'd1', {
    onOutcome: () => undefined,
    onBehind: () => undefined,
    onLacking: () => lacking.push(1),
    onReceived: (id) => received.push(id),
  });
  session.filters.add(filter, 1);
  const packets: IPublishPacket[] = [];
  const reader = parser({ protocolVersion: 4 });
  reader.on('packet', (packet) => packet.cmd === 'publish' && packets.push(packet));
  const attach = () => session.attach({ version: 4, limits: LIMITS, write: (bytes) => reader.parse(bytes) });
  attach();
  const ids = () => packets.map(({ payload }) => JSON.parse(String(payload)).command_id as string);
  return { session, packets, ids, received, lacking, attach };
}

describe('messages that the tables know', () => {
  it('come in the order of the tables while those are read, each once', () => {
    const { session, ids } = open();
    expect(session.beginTables()).toBe(true);
    expect(session.deliver(command('c'))).toBe('queued');
    expect(session.deliver(command('d'))).toBe('queued');
    expect(ids()).toEqual([]);
    session.takeTables(['a', 'b', 'c'].map(tabled));
    expect(ids()).toEqual(['a', 'b', 'c', 'd']);
    expect(session.deliver(command('b'))).toBe('repeated');
    session.beginTables();
    session.takeTables(['a', 'd', 'e'].map(tabled));
    expect(ids()).toEqual(['a', 'b', 'c', 'd', 'e']);
  });

  it('are known to be received when the device acknowledges them, unless it refuses them', () => {
    const { session, packets, received } = open();
    for (const id of ['a', 'b']) session.deliver(command(id));
    expect(received).toEqual([]);
    session.acknowledge(packets[0]?.messageId ?? 0);
    session.acknowledge(packets[1]?.messageId ?? 0, false);
    expect(received).toEqual(['a']);
    session.deliver(command('c', 0));
    expect(received).toEqual(['a', 'c']);
  });

  it('come again on the next connection, where the tables still have them', () => {
    const { session, packets, ids, attach } = open();
    for (const id of ['a', 'b']) session.deliver(command(id));
    session.acknowledge(packets[0]?.messageId ?? 0);
    expect(keptStateOf({ downlink: session, inbox: new Inbox() }).pending).toEqual([]);
    session.detach();
    expect(session.beginTables()).toBe(false);
    attach();
    expect(ids()).toEqual(['a', 'b', 'b']);
    session.beginTables();
    session.takeTables(['a', 'b', 'c'].map(tabled));
    expect(ids()).toEqual(['a', 'b', 'b', 'a', 'c']);
  });

  it('are left to the tables when the connection ends before they are sent: they may be taken back', () => {
    const { session, packets, ids, attach } = open();
    const all = Array.from({ length: 20 }, (_, index) => `${index}`);
    for (const id of all) session.deliver(command(id));
    session.detach();
    attach();
    session.beginTables();
    session.takeTables(all.filter((id) => id !== '17').map(tabled));
    for (const { messageId = 0 } of [...packets]) session.acknowledge(messageId);
    const sent = all.slice(0, 16);
    expect(ids()).toEqual([...sent, ...sent, '16', '18', '19']);
  });

  it('come from the tables once the device listens, if they passed by before', () => {
    const { session, ids } = open('tenant/acme/device/d1/ota');
    expect(session.deliver(command('a'))).toBe('not_subscribed');
    session.filters.add('tenant/acme/device/d1/commands', 1);
    session.beginTables();
    session.takeTables([tabled('a')]);
    expect(ids()).toEqual(['a']);
  });

  it('are not taken from the stream when a session catches up', () => {
    const { session, ids } = open();
    session.advance({ createdAt: CREATED, sequence: newest });
    session.detach();
    const missed = command('cancelled meanwhile');
    session.attach({ version: 4, limits: LIMITS, write: () => undefined });
    session.caughtUp([missed], { createdAt: CREATED, sequence: newest });
    expect(ids()).toEqual([]);
  });

  it('are asked for again when there was no room for all of them', () => {
    const { session, packets, ids, lacking } = open();
    session.beginTables();
    const all = Array.from({ length: 200 }, (_, index) => tabled(`${index}`));
    session.takeTables(all);
    expect(lacking).toEqual([]);
    for (let index = 0; index < packets.length; index++) {
      session.acknowledge(packets[index]?.messageId ?? 0);
      if (lacking.length === 0) continue;
      lacking.pop();
      session.beginTables();
      session.takeTables(all);
    }
    expect(ids()).toEqual(all.map(({ id }) => id));
  });

  it('go to a meter on its own topic and in its own envelope, and canonically to whoever listens there', () => {
    const { session, packets } = open('iot/d1/#');
    session.deliver(command('a'));
    expect(packets[0]?.topic).toBe('iot/d1/command');
    expect(JSON.parse(String(packets[0]?.payload))).toMatchObject({
      ...{ v: 2, device_id: 'd1', msg_type: 'command', command_id: 'a' },
    });
    session.filters.add('tenant/acme/device/d1/#', 0);
    session.deliver(command('b'));
    expect(packets[1]).toMatchObject({ topic: 'tenant/acme/device/d1/commands', qos: 0 });
  });
});
