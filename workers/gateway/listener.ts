import { createServer, type Server } from 'node:net';
import { Connection } from './connection.ts';
import type { ConnectionContext } from './connection-context.ts';
import type { CloseReason } from './metrics.ts';

export interface ListenerOptions {
  readonly host: string;
  /** 0 lets the system choose. */
  readonly port: number;
  readonly maxConnections: number;
  readonly context: ConnectionContext;
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
  const server: Server = createServer({ highWaterMark: READ_AHEAD_BYTES, allowHalfOpen: false });
  server.maxConnections = options.maxConnections;
  server.on('connection', (socket) => {
    const connection = new Connection(socket, options.context);
    connections.set(connection, () => socket.destroy());
    socket.once('close', () => connections.delete(connection));
    connection.open();
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
      await closed;
    },
  };
}
