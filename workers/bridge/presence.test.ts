import { describe, expect, it } from 'vitest';
import { readEmqxPresence } from './presence.ts';

const NOW = 1_800_000_000_000;
const connected = {
  username: 'acme/meter-1',
  clientid: 'any',
  ts: NOW - 500,
  proto_ver: 5,
  keepalive: 60,
  ipaddress: '10.0.0.7',
  connected_at: NOW - 500,
};

function read(end: string, said: unknown) {
  const topic = `$SYS/brokers/emqx@10.0.0.1/clients/any/${end}`;
  const item = readEmqxPresence(topic, Buffer.from(JSON.stringify(said)), NOW);
  return item && { ...item, payload: JSON.parse(Buffer.from(item.payload).toString()) };
}

describe('what EMQX says about its clients', () => {
  it('becomes the status message that the device would have sent, at the time of the event', () => {
    expect(read('connected', connected)).toEqual({
      tenant: 'acme',
      device: 'meter-1',
      kind: 'status',
      dialect: 'canonical',
      source: 'bridge',
      dup: false,
      receivedAt: NOW - 500,
      payload: { status: 'online' },
    });
    const gone = read('disconnected', { ...connected, reason: 'keepalive_timeout' });
    expect(gone?.payload).toEqual({ status: 'offline' });
  });

  it('is no end where the client is connected anew', () => {
    for (const reason of ['takenover', 'discarded']) {
      expect(read('disconnected', { ...connected, reason })).toBeUndefined();
    }
  });

  it('is nothing where the client is no device or the event another', () => {
    expect(read('connected', { ...connected, username: 'dashboard' })).toBeUndefined();
    expect(read('connected', { ...connected, username: undefined })).toBeUndefined();
    expect(read('subscribed', connected)).toBeUndefined();
    expect(read('connected', 'no object')).toBeUndefined();
    expect(readEmqxPresence('$SYS/brokers', Buffer.from('{}'), NOW)).toBeUndefined();
  });

  it('never lies in the future', () => {
    expect(read('connected', { ...connected, ts: NOW + 60_000 })?.receivedAt).toBe(NOW);
  });
});
