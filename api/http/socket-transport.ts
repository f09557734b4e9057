import type { IncomingMessage } from 'node:http';
import { CloseCode, type Server } from 'graphql-ws';
import type { WebSocket } from 'ws';
import { errorMessage } from '#core/runtime/errors.ts';
import type { Logger } from '#core/runtime/logger.ts';

/** What the protocol's callbacks are told about a connection. */
export interface SocketExtra {
  readonly socket: WebSocket;
  readonly request: IncomingMessage;
}

/** A client that answers no ping for this long is gone. */
const PING_EVERY_MS = 12_000;

/**
 * Connects one WebSocket to the graphql-ws protocol. An event counts as sent when the operating system has taken it, so
 * a client that reads slowly slows its own subscriptions down and nobody else's.
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
  const closed = server.opened(
    {
      protocol: socket.protocol,
      send: (text) => send(socket, text),
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
    { socket, request },
  );
  socket.once('close', (code, reason) => {
    clearInterval(pinging);
    closed(code, reason.toString()).catch((error: unknown) =>
      log.error({ error: errorMessage(error) }, 'socket cleanup failed'),
    );
  });
}

/** Resolves when the text was handed to the operating system, or the socket is no longer open. */
function send(socket: WebSocket, text: string): Promise<void> {
  return new Promise((resolve) => {
    if (socket.readyState !== socket.OPEN) resolve();
    else socket.send(text, () => resolve());
  });
}
