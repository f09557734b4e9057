import { Writable } from 'node:stream';
import { pino } from 'pino';
import { expect, it, vi } from 'vitest';
import { AuthenticationError } from '#core/auth/authentication-error.ts';
import { createMetrics } from '#core/runtime/metrics.ts';
import { createGate } from './gate.ts';

it('counts every refusal, and logs the first of an address and reason each minute with how many it left out', async () => {
  vi.useFakeTimers();
  const lines: { reason: string; address: string; leftOut: number }[] = [];
  const sink = new Writable({
    write(chunk, _encoding, done) {
      lines.push(JSON.parse(String(chunk)));
      done();
    },
  });
  const metrics = createMetrics('api');
  const gate = createGate({
    authenticator: {
      authenticate: () => Promise.reject(new AuthenticationError('invalid', 'the API key is not valid')),
      forget: () => undefined,
    },
    signIns: { note: () => Promise.resolve(), recordMember: () => Promise.resolve(0) },
    metrics,
    log: pino(sink),
  });
  const knock = (address: string) =>
    expect(gate.admit({ authorization: 'Bearer x', address, requestId: 'r' })).rejects.toThrow('not valid');
  for (let round = 0; round < 100; round += 1) await knock('192.0.2.1');
  await knock('192.0.2.2');
  vi.advanceTimersByTime(61_000);
  await knock('192.0.2.1');
  vi.useRealTimers();
  expect(lines.map(({ address, leftOut }) => [address, leftOut])).toEqual([
    ['192.0.2.1', 0],
    ['192.0.2.2', 0],
    ['192.0.2.1', 99],
  ]);
  const counted = await metrics.registry.getSingleMetricAsString('fleetgraph_api_refused_sign_ins_total');
  expect(counted).toContain('{reason="invalid"} 102');
});
