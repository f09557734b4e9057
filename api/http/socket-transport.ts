import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { CloseCode, type Server } from 'graphql-ws';
import type { WebSocket } from 'ws';
import { errorMessage } from '#core/runtime/errors.ts';
import type { Logger } from '#core/runtime/logger.ts';

/** What the protocol's callbacks are told about a connection. */
export interface SocketExtra {
  readonly socket: WebSocket;
  readonly request: IncomingMessage;
  /** Sends a message of the protocol: see `createSender`. */
  readonly send: (text: string) => Promise<void> | void;
}

/** A client that answers no ping for this long is gone. */
const PING_EVERY_MS = 12_000;

/**
 * Connects one WebSocket to the graphql-ws protocol. A client that reads slowly slows its own subscriptions down and
 * nobody else's.
 */
export function serveSocket(
  server: Server<SocketExtra>,
  socket: WebSocket,
  request: IncomingMessage,
  log: Logger,
): void {
  let answered = true;
  const pinging = setInterval(() => {
    if (!answered) return socket.terminate();
    answered = false;
    socket.ping();
  }, PING_EVERY_MS);
  socket.on('pong', () => {
    answered = true;
  });
  socket.on('error', (error) => log.debug({ err: error }, 'socket broke'));
  const send = createSender(socket, request.socket);
  const closed = server.opened(
    {
      protocol: socket.protocol,
      send,
      close: (code, reason) => socket.close(code, reason),
      onMessage(handle) {
        socket.on('message', (data) => {
          handle(String(data)).catch((error: unknown) => {
            log.error({ err: error }, 'a socket message could not be handled');
            socket.close(CloseCode.InternalServerError, 'something went wrong on our side');
          });
        });
      },
    },
    { socket, request, send },
  );
  socket.once('close', (code, reason) => {
    clearInterval(pinging);
    closed(code, reason.toString()).catch((error: unknown) =>
      log.error({ error: errorMessage(error) }, 'socket cleanup failed'),
    );
  });
}

/** Bytes that may wait in a socket before whoever sends has to wait. */
const MAX_WAITING_BYTES = 65_536;

/**
 * Sends frames so that those of one turn of the event loop leave in one system call. Resolves at once while little waits
 * in the socket; otherwise when the operating system has taken the text, or the socket is no longer open.
 */
function createSender(socket: WebSocket, stream: Duplex): (text: string) => Promise<void> | void {
  let corked = false;
  const uncork = () => {
    corked = false;
    stream.uncork();
  };
  return (text) => {
    if (socket.readyState !== socket.OPEN) return undefined;
    if (!corked) {
      corked = true;
      stream.cork();
      setImmediate(uncork);
    }
    if (socket.bufferedAmount < MAX_WAITING_BYTES) {
      socket.send(text, () => undefined);
      return undefined;
    }
    return new Promise((resolve) => socket.send(text, () => resolve()));
  };
}
