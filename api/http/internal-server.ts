import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { closeServer } from '#core/runtime/health.ts';
import type { Logger } from '#core/runtime/logger.ts';

export interface InternalServer {
  /** Rejects when the port is taken. */
  listen(): Promise<void>;
  close(): Promise<void>;
}

/** What only neighbours may ask, on a port of its own. */
export function createInternalServer(options: {
  readonly host: string;
  readonly port: number;
  readonly log: Logger;
  answer(request: IncomingMessage, response: ServerResponse, path: string): Promise<void>;
}): InternalServer {
  const server: Server = createServer((request, response) => {
    const path = request.url?.split('?')[0] ?? '/';
    options.answer(request, response, path).catch((error: unknown) => {
      options.log.error({ err: error, path }, 'internal request failed');
      if (!response.headersSent) response.writeHead(500);
      response.end();
    });
  });
  server.requestTimeout = 10_000;
  return {
    listen: () =>
      new Promise<void>((resolve, reject) => {
        server.once('error', reject);
        server.listen(options.port, options.host, resolve);
      }),
    close: () => closeServer(server),
  };
}
