import { createServer, type IncomingMessage, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import { clientAddress } from '#core/runtime/client-address.ts';
import type { Transport } from './transport.ts';
import { WebSocketTransport } from './web-socket-transport.ts';

/** How MQTT over WebSocket is offered. */
export interface WebSocketDoor {
  /** Web origins whose pages may connect; `*` stands for every one. Whoever sends no `Origin` is no page. */
  readonly allowedOrigins: readonly string[];
  /** Reverse proxies of ours in front: whose `x-forwarded-for` is believed. */
  readonly trustedProxies: number;
}

export interface WebSocketServerOptions {
  readonly door: WebSocketDoor;
  /** PEM; absent: plain HTTP, usually behind a proxy that speaks TLS. */
  readonly tls: { readonly cert: Buffer; readonly key: Buffer } | undefined;
  readonly readAheadBytes: number;
  /** The longest WebSocket message. */
  readonly maxMessageBytes: number;
  readonly handshakeTimeoutMs: number;
  onTransport(transport: Transport): void;
  onRefused(why: 'not_found' | 'origin' | 'subprotocol', remote: string | null): void;
}

export const MQTT_PATH = '/mqtt';
const SUBPROTOCOL = 'mqtt';

/** An HTTP server that does nothing but let MQTT clients in at `/mqtt` with the subprotocol `mqtt` (MQTT 3.1.1, 6). */
export function createWebSocketServer(options: WebSocketServerOptions): Server {
  const { door, tls, handshakeTimeoutMs } = options;
  const times = { requestTimeout: handshakeTimeoutMs, headersTimeout: handshakeTimeoutMs };
  const common = { ...times, connectionsCheckingInterval: 1_000, highWaterMark: options.readAheadBytes };
  const server = tls ? createTlsServer({ ...common, ...tls, minVersion: 'TLSv1.2' }) : createServer(common);
  const upgrades = new WebSocketServer({
    noServer: true,
    maxPayload: options.maxMessageBytes,
    perMessageDeflate: false,
    clientTracking: false,
    handleProtocols: (offered) => offered.has(SUBPROTOCOL) && SUBPROTOCOL,
  });
  server.on('request', (request, response) => {
    const status = request.url?.split('?')[0] === MQTT_PATH ? 426 : 404;
    const head = { 'content-type': 'text/plain', upgrade: 'websocket', connection: 'close' };
    response.writeHead(status, head).end('MQTT over WebSocket only\n');
  });
  server.on('upgrade', (request, socket: Duplex, head: Buffer) => {
    socket.on('error', () => socket.destroy());
    const remote = clientAddress(request, door.trustedProxies);
    const refusal = judge(request, door);
    if (refusal) {
      options.onRefused(refusal.why, remote);
      socket.end(`HTTP/1.1 ${refusal.status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
      return;
    }
    upgrades.handleUpgrade(request, socket, head, (webSocket) => {
      request.socket.setNoDelay(true);
      request.socket.setKeepAlive(true, 60_000);
      options.onTransport(new WebSocketTransport(webSocket, remote ?? undefined, options.readAheadBytes));
    });
  });
  return server;
}

function judge(request: IncomingMessage, door: WebSocketDoor) {
  if (request.url?.split('?')[0] !== MQTT_PATH) return { status: '404 Not Found', why: 'not_found' } as const;
  const { origin } = request.headers;
  if (origin !== undefined && !door.allowedOrigins.includes('*') && !door.allowedOrigins.includes(origin)) {
    return { status: '403 Forbidden', why: 'origin' } as const;
  }
  const offered = (request.headers['sec-websocket-protocol'] ?? '').split(',').map((name) => name.trim());
  if (!offered.includes(SUBPROTOCOL)) return { status: '400 Bad Request', why: 'subprotocol' } as const;
  return undefined;
}
