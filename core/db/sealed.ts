import type { Queryable } from './pool.ts';

/** A column that holds sealed values, as a comment in the catalogue says. */
export interface SealedColumn {
  readonly table: string;
  readonly column: string;
  readonly json: boolean;
  /** Names of the columns that find a row. */
  readonly key: readonly string[];
  /** What a value is sealed for, with columns of its row in braces. */
  readonly context: string;
}

/** A row that holds one. Every value is text, as PostgreSQL writes it. */
export interface SealedRow {
  readonly key: readonly string[];
  readonly context: string;
  /** Hexadecimal where the column holds bytes, else JSON. */
  readonly value: string;
}

/** Every column whose comment begins with `sealed`, in the order of their tables. */
export async function listSealedColumns(db: Queryable): Promise<SealedColumn[]> {
  const { rows } = await db.query<SealedColumn>(
    `select c.relname as table, a.attname as column, a.atttypid = 'jsonb'::regtype as json,
       substring(d.description from '^sealed (.+)$') as context,
       (select array_agg(k.attname::text order by n) from pg_index i cross join unnest(i.indkey) with ordinality as u (attnum, n)
        join pg_attribute k on k.attrelid = c.oid and k.attnum = u.attnum where i.indrelid = c.oid and i.indisprimary) as key
     from pg_description d join pg_class c on c.oid = d.objoid and d.classoid = 'pg_class'::regclass
     join pg_attribute a on a.attrelid = c.oid and a.attnum = d.objsubid
     where c.relnamespace = 'public'::regnamespace and d.description like 'sealed %' order by 1, 2`,
  );
  return rows;
}

/** Up to 100 rows behind a key, in the order of their keys, locked until the transaction ends. */
export async function readSealedRows(
  db: Queryable,
  place: SealedColumn,
  after: readonly string[] | undefined,
): Promise<SealedRow[]> {
  const keys = place.key.map((name) => `${quote(name)}::text`).join(', ');
  const column = quote(place.column);
  const behind = after ? `where (${keys}) > (${after.map((_, index) => `$${index + 1}`).join(', ')})` : '';
  const { rows } = await db.query<{ row: Record<string, unknown>; key: string[]; value: string | null }>(
    `select to_jsonb(t) - '${place.column}' as row, array[${keys}] as key,
       ${place.json ? `${column}::text` : `encode(${column}, 'hex')`} as value
     from ${quote(place.table)} t ${behind} order by ${keys} limit 100 for update`,
    [...(after ?? [])],
  );
  return rows.map(({ row, key, value }) => ({
    key,
    value: value ?? '',
    context: place.context.replace(/\{(\w+)\}/g, (_, name: string) => String(row[name])),
  }));
}

export async function writeSealedRow(
  db: Queryable,
  place: SealedColumn,
  key: readonly string[],
  value: string,
): Promise<void> {
  const where = place.key.map((name, index) => `${quote(name)}::text = $${index + 2}`).join(' and ');
  const to = place.json ? '$1::jsonb' : `decode($1, 'hex')`;
  await db.query(`update ${quote(place.table)} set ${quote(place.column)} = ${to} where ${where}`, [
    value,
    ...key,
  ]);
}

const quote = (name: string): string => `"${name.replaceAll('"', '""')}"`;
