import { appendFileSync, existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import type { Adapter, Payload } from 'oidc-provider';

/** What nobody signed in can make us remember is bounded: past this the oldest entries go. */
const MAX_ENTRIES = 20_000;
const COMPACT_EVERY = 20_000;

interface Entry {
  readonly payload: Payload;
  /** Epoch milliseconds; absent means never. */
  readonly expiresAt?: number;
}

/** Sessions, grants and tokens, kept in memory and in a journal on disk, so that a restart signs nobody out. */
export interface GrantStore {
  adapter(model: string): Adapter;
}

/** Opens the journal, dropping what has expired. A torn last line, from a crash in mid-write, is dropped too. */
export function openGrantStore(path: string): GrantStore {
  const entries = new Map<string, Entry>(readJournal(path));
  let lines = 0;

  const compact = () => {
    const now = Date.now();
    for (const [key, entry] of entries) if ((entry.expiresAt ?? Infinity) <= now) entries.delete(key);
    writeFileSync(`${path}.new`, [...entries].map((line) => `${JSON.stringify(line)}\n`).join(''), {
      mode: 0o600,
    });
    renameSync(`${path}.new`, path);
    lines = 0;
  };
  const record = (key: string, entry: Entry | undefined) => {
    if (entry) entries.set(key, entry);
    else entries.delete(key);
    appendFileSync(path, `${JSON.stringify([key, entry ?? null])}\n`, { mode: 0o600 });
    lines += 1;
    while (entries.size > MAX_ENTRIES) entries.delete(entries.keys().next().value ?? '');
    if (lines >= COMPACT_EVERY) compact();
  };
  const read = (key: string) => {
    const entry = entries.get(key);
    return entry && (entry.expiresAt ?? Infinity) > Date.now() ? entry : undefined;
  };
  const readWhere = (prefix: string, matches: (payload: Payload) => boolean) => {
    for (const key of entries.keys()) {
      const entry = key.startsWith(prefix) ? read(key) : undefined;
      if (entry && matches(entry.payload)) return entry.payload;
    }
    return undefined;
  };

  compact();
  return {
    adapter(model) {
      const keyOf = (id: string) => `${model}:${id}`;
      return {
        async upsert(id, payload, expiresIn) {
          const expiresAt = expiresIn === undefined ? undefined : Date.now() + expiresIn * 1000;
          record(keyOf(id), { payload, ...(expiresAt !== undefined && { expiresAt }) });
        },
        find: async (id) => read(keyOf(id))?.payload,
        findByUid: async (uid) => readWhere(`${model}:`, (payload) => payload.uid === uid),
        findByUserCode: async (code) => readWhere(`${model}:`, (payload) => payload.userCode === code),
        async consume(id) {
          const entry = read(keyOf(id));
          if (entry)
            record(keyOf(id), {
              ...entry,
              payload: { ...entry.payload, consumed: Math.floor(Date.now() / 1000) },
            });
        },
        destroy: async (id) => record(keyOf(id), undefined),
        async revokeByGrantId(grantId) {
          for (const [key, entry] of [...entries])
            if (entry.payload.grantId === grantId) record(key, undefined);
        },
      };
    },
  };
}

function readJournal(path: string): Map<string, Entry> {
  const entries = new Map<string, Entry>();
  if (!existsSync(path)) return entries;
  for (const line of readFileSync(path, 'utf8').split('\n')) {
    const parsed = parseLine(line);
    if (!parsed) continue;
    if (parsed[1]) entries.set(parsed[0], parsed[1]);
    else entries.delete(parsed[0]);
  }
  return entries;
}

function parseLine(line: string): [string, Entry | null] | undefined {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
