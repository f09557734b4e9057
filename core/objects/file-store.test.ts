import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ObjectKeyError, ObjectNotFoundError } from './errors.ts';
import { createFileStore, type FileStore, removeFolder } from './file-store.ts';

const link = { expiresInSeconds: 60, filename: 'réport.csv', contentType: 'text/csv' };

describe('file store', () => {
  let root: string;
  let store: FileStore;
  beforeEach(async () => {
    root = await mkdtemp(path.join(tmpdir(), 'objects-'));
    store = createFileStore({ root, linkKeys: [Buffer.alloc(32, 7)], publicUrl: 'http://x/files' });
  });
  afterEach(() => rm(root, { recursive: true }));

  async function* body(...parts: string[]) {
    for (const part of parts) yield Buffer.from(part);
  }

  it('returns what was put, whole or in part', async () => {
    const stored = await store.put('exports/1.csv', body('hello ', 'world'));
    expect(stored).toEqual({
      bytes: 11,
      sha256: 'b94d27b9934d3e08a52e52d7da7dabfac484efe37a5380ee9088f7ace2efcde9',
    });
    expect(await text(await store.get('exports/1.csv'))).toBe('hello world');
    expect(await text(await store.get('exports/1.csv', { start: 6, end: 8 }))).toBe('wor');
  });

  it('leaves nothing behind when a body breaks', async () => {
    async function* broken() {
      yield Buffer.from('half');
      throw new Error('gone');
    }
    await expect(store.put('a', broken())).rejects.toThrow('gone');
    await expect(store.get('a')).rejects.toThrow(ObjectNotFoundError);
    expect(await readdir(path.join(root, '.partial'))).toEqual([]);
  });

  it('removes a folder with all that is below, and nothing beside it', async () => {
    for (const key of ['tenants/acme/a.csv', 'tenants/acme/deep/b.csv', 'tenants/acme-2/c.csv'])
      await store.put(key, body('x'));
    await removeFolder(root, 'tenants/acme');
    await removeFolder(root, 'tenants/never-was');
    await expect(store.get('tenants/acme/deep/b.csv')).rejects.toThrow(ObjectNotFoundError);
    expect(await text(await store.get('tenants/acme-2/c.csv'))).toBe('x');
    await expect(removeFolder(root, '../outside')).rejects.toThrow(ObjectKeyError);
  });

  it('refuses keys that leave the folder', async () => {
    for (const key of ['../a', 'a/../../b', '/etc/passwd', 'a//b', '', 'a\0b']) {
      await expect(store.put(key, body('x'))).rejects.toThrow(ObjectKeyError);
    }
  });

  it('opens its own links and no others', async () => {
    await store.put('a/b.csv', body('x'));
    const query = new URL(await store.link('a/b.csv', link)).searchParams;
    expect(await store.open(query)).toMatchObject({
      bytes: 1,
      filename: 'réport.csv',
      contentType: 'text/csv',
    });
    const forged = new URLSearchParams(query);
    forged.set('key', 'a/c.csv');
    expect(await store.open(forged)).toBe('forbidden');
    const expired = new URL(await store.link('a/b.csv', { ...link, expiresInSeconds: -1 })).searchParams;
    expect(await store.open(expired)).toBe('forbidden');
    await store.remove('a/b.csv');
    expect(await store.open(query)).toBe('missing');
  });
});
