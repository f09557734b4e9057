import type pg from 'pg';
import { SealError, type SecretBox } from '#core/auth/secrets.ts';
import { listSealedColumns, readSealedRows, type SealedColumn, writeSealedRow } from '#core/db/sealed.ts';

/** What was found in one column. */
export interface Resealed {
  readonly place: string;
  /** Values by the id of the key that they were sealed under, as they were found. */
  readonly found: Readonly<Record<string, number>>;
  /** Values that are sealed under the newest key only now. */
  readonly resealed: number;
  /** Why values stay as they are, by key. */
  readonly failed: readonly string[];
}

export interface ResealOptions {
  readonly client: pg.Client;
  readonly box: SecretBox;
  /** False: counts only. */
  readonly write: boolean;
}

/**
 * Seals everything in the database under the newest key that another one has sealed, a hundred rows a transaction. Can be
 * interrupted and called again: what is done is left alone. The client is the owner's.
 */
export async function resealAll(options: ResealOptions): Promise<Resealed[]> {
  const results: Resealed[] = [];
  for (const place of await listSealedColumns(options.client))
    results.push(await resealColumn(options, place));
  return results;
}

async function resealColumn(options: ResealOptions, place: SealedColumn): Promise<Resealed> {
  const { client } = options;
  const tally: Tally = { found: {}, resealed: 0, failed: [] };
  let after: readonly string[] | undefined;
  for (;;) {
    await client.query('begin');
    try {
      const rows = await readSealedRows(client, place, after);
      for (const row of rows) {
        const value = place.json
          ? resealJson(options, row, tally)
          : resealBytes(options, row.context, Buffer.from(row.value, 'hex'), tally)?.toString('hex');
        if (options.write && value !== undefined) await writeSealedRow(client, place, row.key, value);
      }
      await client.query('commit');
      after = rows.at(-1)?.key;
      if (rows.length === 0) break;
    } catch (error) {
      await client.query('rollback').catch(() => undefined);
      throw error;
    }
  }
  return { place: `${place.table}.${place.column}`, ...tally };
}

interface Tally {
  readonly found: Record<string, number>;
  resealed: number;
  readonly failed: string[];
}

/** The value under the newest key; undefined where it is already, or cannot be read. */
function resealBytes(
  { box, write }: ResealOptions,
  context: string,
  sealed: Buffer,
  tally: Tally,
): Buffer | undefined {
  const key = box.keyIdOf(sealed);
  tally.found[key] = (tally.found[key] ?? 0) + 1;
  if (key === box.keyId) return undefined;
  try {
    const again = box.seal(context, box.open(context, sealed));
    if (write) tally.resealed += 1;
    return again;
  } catch (error) {
    if (!(error instanceof SealError)) throw error;
    if (!tally.failed.includes(error.message)) tally.failed.push(error.message);
    return undefined;
  }
}

/** The same for every `{"$sealed": …}` at any depth. */
function resealJson(
  options: ResealOptions,
  { context, value }: { readonly context: string; readonly value: string },
  tally: Tally,
): string | undefined {
  let changed = false;
  const text = JSON.stringify(JSON.parse(value), (name, part: unknown) => {
    if (name !== '$sealed' || typeof part !== 'string') return part;
    const again = resealBytes(options, context, Buffer.from(part, 'base64url'), tally);
    changed ||= again !== undefined;
    return again?.toString('base64url') ?? part;
  });
  return changed ? text : undefined;
}
