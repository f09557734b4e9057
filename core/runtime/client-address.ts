import type { IncomingMessage } from 'node:http';

/**
 * The address a request came from, null when its connection is gone. Behind proxies it is what the outermost trusted one
 * says: each appends to `x-forwarded-for` whom it heard from, and anything further left was written by the caller.
 * @param trustedProxies how many proxies of ours stand in front
 */
export function clientAddress(request: IncomingMessage, trustedProxies: number): string | null {
  const header = request.headers['x-forwarded-for'];
  const forwarded = (Array.isArray(header) ? header.join(',') : (header ?? ''))
    .split(',')
    .map((part) => part.trim())
    .filter(Boolean);
  const told = trustedProxies > 0 ? (forwarded.at(-trustedProxies) ?? forwarded[0]) : undefined;
  const address = told ?? request.socket.remoteAddress;
  return address ? address.replace(/^::ffff:/, '').slice(0, 64) : null;
}
