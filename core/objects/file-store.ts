import { createHash, createHmac, randomUUID, timingSafeEqual } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, open, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { ObjectKeyError, ObjectNotFoundError } from './errors.ts';
import type { Objects } from './objects.ts';

export interface FileStoreOptions {
  /** Folder of the objects; made when the first one is stored. */
  readonly root: string;
  /** 32 bytes each: the first one signs links, and what any of them signed is good. */
  readonly linkKeys: readonly [Buffer, ...Buffer[]];
  /** Where the links are served, for example `http://127.0.0.1:8080/files`. */
  readonly publicUrl: string;
}

/** What a signed link that is still good asks for. */
export interface LinkedFile {
  readonly file: string;
  readonly bytes: number;
  readonly filename: string;
  readonly contentType: string;
}

/** Objects as files, for one machine. Links are HMAC-signed over everything they say and expire. */
export interface FileStore extends Objects {
  /** The file behind a link's query, or why it is refused: `forbidden` (forged or expired) or `missing`. */
  open(query: URLSearchParams): Promise<LinkedFile | 'forbidden' | 'missing'>;
}

const KEY = /^[\w.=-]+(\/[\w.=-]+)*$/;

export function createFileStore(options: FileStoreOptions): FileStore {
  const locate = (key: string) => locateIn(options.root, key);
  const sign = (text: string, key = options.linkKeys[0]) => createHmac('sha256', key).update(text).digest();
  return {
    async put(key, body) {
      const target = locate(key);
      const partial = path.join(options.root, '.partial', randomUUID());
      await mkdir(path.dirname(target), { recursive: true, mode: 0o700 });
      await mkdir(path.dirname(partial), { recursive: true, mode: 0o700 });
      try {
        const stored = await write(partial, body);
        await rename(partial, target);
        await syncFolder(path.dirname(target));
        return stored;
      } catch (error) {
        await rm(partial, { force: true });
        throw error;
      }
    },
    async get(key, range) {
      const file = locate(key);
      if ((await sizeOf(file)) === undefined) throw new ObjectNotFoundError(key);
      return createReadStream(file, range);
    },
    remove: (key) => rm(locate(key), { force: true }),
    async link(key, { expiresInSeconds, filename, contentType }) {
      locate(key);
      const expires = Math.floor(Date.now() / 1000) + expiresInSeconds;
      const query = new URLSearchParams({ key, expires: String(expires), filename, type: contentType });
      const signature = sign(query.toString()).toString('base64url');
      return `${options.publicUrl}?${query}&signature=${signature}`;
    },
    async open(query) {
      const signature = Buffer.from(query.get('signature') ?? '', 'base64url');
      const signed = new URLSearchParams([...query].filter(([name]) => name !== 'signature'));
      const isOurs = options.linkKeys.some((key) => {
        const expected = sign(signed.toString(), key);
        return signature.length === expected.length && timingSafeEqual(signature, expected);
      });
      if (!isOurs) return 'forbidden';
      if (!(Number(signed.get('expires')) > Date.now() / 1000)) return 'forbidden';
      const file = locate(signed.get('key') ?? '');
      const bytes = await sizeOf(file);
      if (bytes === undefined) return 'missing';
      const contentType = signed.get('type') ?? 'application/octet-stream';
      return { file, bytes, filename: signed.get('filename') ?? 'download', contentType };
    },
  };
}

/** Removes everything stored below a folder of such a store; does nothing when there is none. */
export async function removeFolder(root: string, folder: string): Promise<void> {
  await rm(locateIn(root, folder), { recursive: true, force: true });
}

function locateIn(root: string, key: string): string {
  if (!KEY.test(key) || key.split('/').some((part) => part === '.' || part === '..'))
    throw new ObjectKeyError(key);
  return path.join(root, key);
}

async function write(
  file: string,
  body: AsyncIterable<Uint8Array>,
): Promise<{ bytes: number; sha256: string }> {
  const hash = createHash('sha256');
  let bytes = 0;
  const measure = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk);
      bytes += chunk.length;
      done(null, chunk);
    },
  });
  await pipeline(body, measure, createWriteStream(file, { flags: 'wx', mode: 0o600, flush: true }));
  return { bytes, sha256: hash.digest('hex') };
}

/** A rename is durable only when the folder that holds the name is. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function sizeOf(file: string): Promise<number | undefined> {
  return stat(file).then(
    (status) => (status.isFile() ? status.size : undefined),
    () => undefined,
  );
}
