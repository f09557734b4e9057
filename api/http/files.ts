import { createReadStream } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import type { FileStore } from '#core/objects/file-store.ts';

/** Serves `GET /files?…`: whole or by Range, to whoever has a link that is still good. */
export async function serveFile(
  store: FileStore,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.writeHead(405, { allow: 'GET, HEAD' }).end();
    return;
  }
  const linked = await store.open(new URLSearchParams(request.url?.split('?')[1] ?? ''));
  if (linked === 'forbidden' || linked === 'missing') {
    response.writeHead(linked === 'forbidden' ? 403 : 404).end();
    return;
  }
  const range = readRange(request.headers.range, linked.bytes);
  if (range === 'unsatisfiable') {
    response.writeHead(416, { 'content-range': `bytes */${linked.bytes}` }).end();
    return;
  }
  const { start, end } = range ?? { start: 0, end: linked.bytes - 1 };
  response.writeHead(range ? 206 : 200, {
    'content-type': linked.contentType,
    'content-length': end - start + 1,
    'content-disposition': `attachment; filename*=UTF-8''${encodeURIComponent(linked.filename)}`,
    'accept-ranges': 'bytes',
    'cache-control': 'private, no-store',
    'x-content-type-options': 'nosniff',
    ...(range && { 'content-range': `bytes ${start}-${end}/${linked.bytes}` }),
  });
  if (request.method === 'HEAD' || linked.bytes === 0) response.end();
  else
    await pipeline(createReadStream(linked.file, { start, end }), response).catch(() => response.destroy());
}

/** One byte range (RFC 9110, section 14); undefined when there is none or it is of another form. */
export function readRange(
  header: string | undefined,
  bytes: number,
): { start: number; end: number } | 'unsatisfiable' | undefined {
  const [, from = '', to = ''] = /^bytes=(\d*)-(\d*)$/.exec(header ?? '') ?? [];
  if (from === '' && to === '') return undefined;
  const start = from === '' ? Math.max(0, bytes - Number(to)) : Number(from);
  const end = from === '' || to === '' ? bytes - 1 : Math.min(Number(to), bytes - 1);
  return start > end || start >= bytes ? 'unsatisfiable' : { start, end };
}
