import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { clientAddress } from './client-address.ts';

function requestFrom(remoteAddress: string | undefined, forwarded?: string): IncomingMessage {
  const socket = new Socket();
  Object.defineProperty(socket, 'remoteAddress', { value: remoteAddress });
  const request = new IncomingMessage(socket);
  if (forwarded !== undefined) request.headers['x-forwarded-for'] = forwarded;
  return request;
}

describe('clientAddress', () => {
  it.each([
    ['::ffff:10.0.0.9', undefined, 0, '10.0.0.9'],
    ['10.0.0.9', '1.1.1.1', 0, '10.0.0.9'],
    ['10.0.0.9', '6.6.6.6, 1.1.1.1', 1, '1.1.1.1'],
    ['10.0.0.9', '6.6.6.6, 1.1.1.1, 10.0.0.8', 2, '1.1.1.1'],
    ['10.0.0.9', '1.1.1.1', 2, '1.1.1.1'],
    ['10.0.0.9', undefined, 1, '10.0.0.9'],
    [undefined, undefined, 0, null],
  ])('of %s, forwarded for %s through %i proxies, is %s', (remote, forwarded, proxies, expected) => {
    expect(clientAddress(requestFrom(remote, forwarded), proxies)).toBe(expected);
  });
});
