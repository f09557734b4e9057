import type { IncomingMessage, ServerResponse } from 'node:http';

/** A list is made anew after this time: as long may a revocation be missing from it. */
const FRESH_MS = 5_000;
const MAX_ENTRIES = 1_000;
const CRL = /^\/crl\/([a-z0-9][a-z0-9-]{0,62})(?:\/([1-9]\d{0,5}))?\.crl$/;

/**
 * Serves `GET /crl/{tenant}.crl` of a tenant's first authority and `GET /crl/{tenant}/{generation}.crl` of a later one,
 * DER, to everybody: a revocation list is public and signed.
 */
export function createCrlDoor(make: (tenant: string, generation: number) => Promise<Buffer | undefined>) {
  const lists = new Map<string, { readonly list: Promise<Buffer | undefined>; readonly until: number }>();

  const find = (tenant: string, generation: number): Promise<Buffer | undefined> => {
    const name = `${tenant}/${generation}`;
    const known = lists.get(name);
    if (known && known.until > Date.now()) return known.list;
    const list = make(tenant, generation);
    lists.delete(name);
    lists.set(name, { list, until: Date.now() + FRESH_MS });
    list.catch(() => lists.delete(name));
    if (lists.size > MAX_ENTRIES) {
      for (const oldest of lists.keys()) {
        lists.delete(oldest);
        break;
      }
    }
    return list;
  };

  return async (path: string, request: IncomingMessage, response: ServerResponse): Promise<void> => {
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      response.writeHead(405, { allow: 'GET, HEAD' }).end();
      return;
    }
    const [, tenant, generation = '1'] = CRL.exec(path) ?? [];
    const list = tenant === undefined ? undefined : await find(tenant, Number(generation));
    if (!list) {
      response.writeHead(404, { 'content-type': 'text/plain' }).end('no such revocation list\n');
      return;
    }
    response.writeHead(200, {
      'content-type': 'application/pkix-crl',
      'content-length': list.length,
      'cache-control': `public, max-age=${FRESH_MS / 1_000}`,
    });
    response.end(request.method === 'HEAD' ? undefined : list);
  };
}
