import { createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import type { CloseReason } from './close-reason.ts';
import { Connection } from './connection.ts';
import type { ConnectionContext } from './connection-context.ts';
import { withSharedBuffer } from './shared-buffer.ts';
import type { Transport } from './transport.ts';
import { createWebSocketServer, type WebSocketDoor } from './web-socket-server.ts';

export interface ListenerOptions {
  readonly host: string;
  /** 0 lets the system choose. */
  readonly port: number;
  readonly maxConnections: number;
  /** Speaks TLS with it, and asks for a certificate without insisting on one. Absent: plain TCP. */
  readonly tls?: ServerIdentity | undefined;
  /** Takes MQTT in WebSockets instead, over TLS or not. */
  readonly webSocket?: WebSocketDoor;
  readonly context: ConnectionContext;
}

/** What the gateway proves itself with, PEM. */
export interface ServerIdentity {
  /** The server's certificate, with its intermediates behind it. */
  readonly certificate: Buffer;
  readonly key: Buffer;
}

/** The open socket and everyone on it. */
export interface Listener {
  readonly size: number;
  readonly paused: number;
  /** Messages that are read and not answered by the bus. */
  readonly inflight: number;
  readonly port: number;
  /** Begins to accept. Rejects when the port is taken. */
  open(): Promise<void>;
  /** Lets every connection look at the clock. */
  tick(now: number, busConnected: boolean): void;
  /** Accepts no more and reads no more. */
  stopReading(): void;
  closeAll(reason: CloseReason): void;
  /** Ends whatever is still open and waits until the port is free. */
  close(): Promise<void>;
}

/** How much of a paused connection is read ahead; with `maxConnections` the ceiling of that memory. */
const READ_AHEAD_BYTES = 16 * 1024;
const BACKLOG = 4_096;

export function createListener(options: ListenerOptions): Listener {
  const connections = new Map<Connection, () => void>();
  const server = openServer(options, (transport) => {
    const connection = new Connection(transport, options.context);
    connections.set(connection, () => transport.destroy());
    transport.once('close', () => connections.delete(connection));
    connection.open();
  });
  server.maxConnections = options.maxConnections;
  /** Of TLS and HTTP also those that are still shaking hands: closing waits for them. */
  const sockets = new Set<Socket>();
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  server.on('drop', () => options.context.metrics.connects.inc({ outcome: 'connection_limit' }));

  const sum = (countOf: (connection: Connection) => number): number => {
    let total = 0;
    for (const connection of connections.keys()) total += countOf(connection);
    return total;
  };
  return {
    get size() {
      return connections.size;
    },
    get paused() {
      return sum((connection) => (connection.paused ? 1 : 0));
    },
    get inflight() {
      return sum((connection) => connection.inflight);
    },
    get port() {
      const address = server.address();
      return typeof address === 'object' && address ? address.port : options.port;
    },
    open: () =>
      new Promise<void>((resolve, reject) => {
        server.once('error', reject);
        server.listen({ host: options.host, port: options.port, backlog: BACKLOG }, () => {
          server.removeListener('error', reject);
          server.on('error', (error) => options.context.log.error({ err: error }, 'listener failed'));
          resolve();
        });
      }),
    tick(now, busConnected) {
      for (const connection of connections.keys()) connection.tick(now, busConnected);
    },
    stopReading() {
      server.close();
      for (const connection of connections.keys()) connection.stopReading();
    },
    closeAll(reason) {
      for (const connection of connections.keys()) connection.close(reason);
    },
    async close() {
      const closed = new Promise<void>((resolve) => {
        if (server.listening) server.close(() => resolve());
        else resolve();
      });
      for (const destroy of connections.values()) destroy();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

/** What one WebSocket message may hold at least, though packets are smaller: clients send several in one. */
const MIN_MESSAGE_BYTES = 64 * 1024;

function openServer(options: ListenerOptions, onTransport: (transport: Transport) => void): Server {
  const { tls, webSocket: door, context } = options;
  if (!door) {
    if (tls) return openTlsServer(tls, context).on('secureConnection', onTransport);
    const buffer = Buffer.allocUnsafeSlow(READ_AHEAD_BYTES);
    const server = createServer({ pauseOnConnect: true, allowHalfOpen: false });
    return server.on('connection', (socket) => onTransport(withSharedBuffer(socket, buffer)));
  }
  const { maxPayloadBytes, handshakeTimeoutMs } = context.limits;
  return createWebSocketServer({
    ...{ door, onTransport, handshakeTimeoutMs, readAheadBytes: READ_AHEAD_BYTES },
    tls: tls && { cert: tls.certificate, key: tls.key },
    maxMessageBytes: MIN_MESSAGE_BYTES + 2 * maxPayloadBytes,
    onRefused(why, remote) {
      context.metrics.connects.inc({ outcome: `web_socket_${why}` });
      context.log.info({ why, remote }, 'no WebSocket');
    },
  });
}

/**
 * A client's certificate is taken whoever signed it and whatever its dates: the handshake proves that the client holds
 * its key, and the answer to CONNECT says what is wrong with it. Nothing is sent before that.
 */
function openTlsServer(tls: ServerIdentity, context: ConnectionContext): Server {
  const server = createTlsServer({
    cert: tls.certificate,
    key: tls.key,
    requestCert: true,
    rejectUnauthorized: false,
    minVersion: 'TLSv1.2',
    handshakeTimeout: context.limits.handshakeTimeoutMs,
    highWaterMark: READ_AHEAD_BYTES,
    allowHalfOpen: false,
  });
  server.on('tlsClientError', (error, socket) => {
    context.metrics.connects.inc({ outcome: 'tls_failed' });
    context.log.info({ err: error, remote: socket.remoteAddress }, 'no TLS');
    socket.destroy();
  });
  return server;
}

/** Several listeners as one. The port is that of the first. */
export function joinListeners(first: Listener, ...others: readonly Listener[]): Listener {
  const all = [first, ...others];
  const sum = (countOf: (listener: Listener) => number) =>
    all.reduce((total, listener) => total + countOf(listener), 0);
  return {
    get size() {
      return sum((listener) => listener.size);
    },
    get paused() {
      return sum((listener) => listener.paused);
    },
    get inflight() {
      return sum((listener) => listener.inflight);
    },
    get port() {
      return first.port;
    },
    async open() {
      for (const listener of all) await listener.open();
    },
    tick(now, busConnected) {
      for (const listener of all) listener.tick(now, busConnected);
    },
    stopReading() {
      for (const listener of all) listener.stopReading();
    },
    closeAll(reason) {
      for (const listener of all) listener.closeAll(reason);
    },
    async close() {
      await Promise.all(all.map((listener) => listener.close()));
    },
  };
}
