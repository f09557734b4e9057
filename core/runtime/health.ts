import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Registry } from 'prom-client';

export interface HealthState {
  /** Named checks; the process is ready when all are true. */
  readonly checks: Readonly<Record<string, () => boolean>>;
  readonly registry: Registry;
}

/** Answers `/healthz`, `/readyz` and `/metrics`; false when the request is for somebody else. */
export async function answerHealth(
  state: HealthState,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<boolean> {
  const path = request.url?.split('?')[0];
  if (path === '/healthz') {
    response.writeHead(200, { 'content-type': 'text/plain' }).end('ok\n');
    return true;
  }
  if (path === '/readyz') {
    const checks = Object.fromEntries(Object.entries(state.checks).map(([name, check]) => [name, check()]));
    const ready = Object.values(checks).every(Boolean);
    response
      .writeHead(ready ? 200 : 503, { 'content-type': 'application/json' })
      .end(JSON.stringify({ ready, checks }));
    return true;
  }
  if (path === '/metrics') {
    response
      .writeHead(200, { 'content-type': state.registry.contentType })
      .end(await state.registry.metrics());
    return true;
  }
  return false;
}

/** Serves the three health paths on their own port. Close with `closeServer`. */
export async function openHealthServer(state: HealthState, host: string, port: number): Promise<Server> {
  const server = createServer((request, response) => {
    answerHealth(state, request, response).then(
      (answered) => {
        if (!answered) response.writeHead(404).end();
      },
      () => response.writeHead(500).end(),
    );
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
  return server;
}

/** Ends every connection and waits until the port is free. */
export async function closeServer(server: Server): Promise<void> {
  await new Promise<void>((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}

/** The port a listening server got. */
export function portOf(server: Server): number {
  return (server.address() as AddressInfo).port;
}
