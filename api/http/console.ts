import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';

export interface ConsoleOptions {
  /** The built console. */
  readonly folder: string;
  /** Where its people sign in; the page may talk to it. */
  readonly issuer: string;
  /** Where the page gets map tiles from; undefined: nowhere. */
  readonly tilesUrl: string | undefined;
  /** Answered at `/config.json`. */
  readonly config: Readonly<Record<string, string>>;
}

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json',
  '.map': 'application/json',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.woff2': 'font/woff2',
  '.webmanifest': 'application/manifest+json',
};

/** Names with a content hash never change. */
const HASHED = /^\/assets\//;

/**
 * Serves the built console: its files, `/config.json`, and its page for every path that the page itself routes.
 * Resolves to false when there is nothing to serve.
 */
export function createConsole(
  options: ConsoleOptions,
): (request: IncomingMessage, response: ServerResponse) => Promise<boolean> {
  const folder = path.resolve(options.folder);
  const headers = {
    'content-security-policy': contentSecurityPolicy(options.issuer, options.tilesUrl),
    'referrer-policy': 'no-referrer',
    'x-content-type-options': 'nosniff',
    'x-frame-options': 'DENY',
  };
  return async (request, response) => {
    if (request.method !== 'GET' && request.method !== 'HEAD') return false;
    const name = readPath(request.url ?? '/');
    if (name === undefined) return false;
    if (name === '/config.json') {
      response.writeHead(200, {
        ...headers,
        'content-type': 'application/json',
        'cache-control': 'no-store',
      });
      response.end(JSON.stringify(options.config));
      return true;
    }
    const wanted = path.join(folder, name);
    if (wanted !== folder && !wanted.startsWith(`${folder}${path.sep}`)) return false;
    const isPage = path.extname(name) === '';
    const file = isPage ? path.join(folder, 'index.html') : wanted;
    const status = await stat(file).catch(() => undefined);
    if (!status?.isFile()) return false;
    const tag = `"${status.size.toString(16)}-${Math.floor(status.mtimeMs).toString(16)}"`;
    const caching = HASHED.test(name) ? 'public, max-age=31536000, immutable' : 'no-cache';
    if (request.headers['if-none-match'] === tag) {
      response.writeHead(304, { etag: tag, 'cache-control': caching }).end();
      return true;
    }
    response.writeHead(200, {
      ...headers,
      'content-type': TYPES[path.extname(file)] ?? 'application/octet-stream',
      'content-length': status.size,
      'cache-control': caching,
      etag: tag,
    });
    if (request.method === 'HEAD') response.end();
    else await pipeline(createReadStream(file), response).catch(() => response.destroy());
    return true;
  };
}

function readPath(url: string): string | undefined {
  try {
    const name = path.posix.normalize(decodeURIComponent(url.split('?')[0] ?? '/'));
    return name.includes('\0') || !name.startsWith('/') ? undefined : name;
  } catch {
    return undefined;
  }
}

/** Scripts of our own only; the page talks to this host and to the identity provider, and has pictures of maps from one more. */
function contentSecurityPolicy(issuer: string, tilesUrl: string | undefined): string {
  const { origin } = new URL(issuer);
  const tiles = tilesUrl === undefined ? '' : ` ${tilesOrigin(tilesUrl)}`;
  return [
    "default-src 'self'",
    "script-src 'self'",
    "style-src 'self' 'unsafe-inline'",
    `img-src 'self' data:${tiles}`,
    `connect-src 'self' ws: wss: ${origin}`,
    `frame-src ${origin}`,
    `form-action 'self' ${origin}`,
    "frame-ancestors 'none'",
    "base-uri 'none'",
    "object-src 'none'",
  ].join('; ');
}

/** The source of tiles as a policy names it: `{s}` stands for any subdomain. */
function tilesOrigin(tilesUrl: string): string {
  const [scheme = '', , host = ''] = tilesUrl.split('/');
  return `${scheme}//${host.replaceAll('{s}', '*')}`;
}
