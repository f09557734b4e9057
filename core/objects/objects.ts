import type { Readable } from 'node:stream';

/** What became of a stored body. */
export interface StoredObject {
  readonly bytes: number;
  /** Of the body as stored, hexadecimal. */
  readonly sha256: string;
}

export interface LinkOptions {
  readonly expiresInSeconds: number;
  /** What the browser calls the saved file. */
  readonly filename: string;
  readonly contentType: string;
}

/** Named bytes outside of the database. Keys are `/`-separated segments of `[A-Za-z0-9_.=-]`, none of them `.` or `..`. */
export interface Objects {
  /** Stores the body whole or not at all; an older body under the key is replaced at once. */
  put(key: string, body: AsyncIterable<Uint8Array>): Promise<StoredObject>;
  /** @throws ObjectNotFoundError */
  get(key: string, range?: { readonly start: number; readonly end?: number }): Promise<Readable>;
  /** Does nothing when there is none. */
  remove(key: string): Promise<void>;
  /** A link that lets anyone who has it download the object until it expires. */
  link(key: string, options: LinkOptions): Promise<string>;
}
