import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { sendProblem } from './problem.ts';

/** A file that is written while it is sent. */
export interface StreamedFile {
  readonly filename: string;
  readonly contentType: string;
  lines(signal: AbortSignal): AsyncIterable<string>;
}

/** Downloads at once in a process; each holds a page of the log. */
const MAX_AT_ONCE = 8;

/**
 * Serves `GET /audit/export?ticket=…` to whoever has a link that is still good. A download that breaks off is cut, never ended early.
 * @param stallMs how long somebody may read nothing before the download is cut; others wait for the place. Default 30 000 ms.
 */
export function createAuditExportDoor(
  open: (ticket: string) => Promise<StreamedFile | undefined>,
  stallMs = 30_000,
) {
  let busy = 0;

  const send = async (file: StreamedFile, response: ServerResponse) => {
    const gone = new AbortController();
    response.once('close', () => gone.abort());
    response.setTimeout(stallMs, () => response.destroy());
    response.writeHead(200, {
      'content-type': file.contentType,
      'content-disposition': `attachment; filename="${file.filename}"`,
      'cache-control': 'private, no-store',
      'x-content-type-options': 'nosniff',
    });
    await pipeline(Readable.from(file.lines(gone.signal)), response);
  };

  return async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    if (request.method !== 'GET') {
      sendProblem(response, { status: 405, code: 'METHOD_NOT_ALLOWED', detail: 'use GET' }, { allow: 'GET' });
      return;
    }
    if (busy >= MAX_AT_ONCE) {
      const detail = 'other downloads are under way; try again';
      sendProblem(response, { status: 503, code: 'OVERLOADED', detail, retryAfterSeconds: 5 });
      return;
    }
    busy += 1;
    try {
      const ticket = new URLSearchParams(request.url?.split('?')[1] ?? '').get('ticket');
      const file = ticket === null ? undefined : await open(ticket);
      if (file) await send(file, response);
      else {
        const detail = 'the link has expired, or is none; ask for a new one';
        sendProblem(response, { status: 403, code: 'FORBIDDEN', detail });
      }
    } catch (error) {
      if (!response.headersSent) throw error;
      response.destroy();
    } finally {
      busy -= 1;
    }
  };
}
