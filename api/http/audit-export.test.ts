import { once } from 'node:events';
import { createServer, request } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { portOf } from '#core/runtime/health.ts';
import { createAuditExportDoor } from './audit-export.ts';

const STALL_MS = 2_000;

async function* endless(signal: AbortSignal): AsyncIterable<string> {
  while (!signal.aborted) yield 'x'.repeat(65_536);
}

describe('downloads of the audit log', () => {
  const door = createAuditExportDoor(
    async () => ({ filename: 'audit.csv', contentType: 'text/csv', lines: endless }),
    STALL_MS,
  );
  const server = createServer((incoming, response) => void door(incoming, response));
  let url: string;

  beforeAll(async () => {
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    url = `http://127.0.0.1:${portOf(server)}/audit/export?ticket=t`;
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });

  /** Asks, and reads nothing but the head of the answer. */
  const ask = async () => {
    const asking = request(url);
    asking.on('error', () => undefined);
    asking.end();
    const [response] = await once(asking, 'response');
    response.on('error', () => undefined);
    return { asking, status: response.statusCode };
  };

  it('are cut where nobody reads on, so that others get their turn', async () => {
    const idle = await Promise.all(Array.from({ length: 8 }, ask));
    expect(idle.map(({ status }) => status)).toEqual(idle.map(() => 200));
    expect((await ask()).status).toBe(503);
    await expect.poll(async () => (await ask()).status, { timeout: 15 * STALL_MS }).toBe(200);
  });
});
