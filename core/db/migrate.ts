import { createHash, randomUUID } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import pg from 'pg';
import { FleetgraphError } from '../runtime/errors.ts';

/** The key of the advisory lock that Prisma's own `migrate deploy` takes, so that the two exclude each other. */
const MIGRATION_LOCK = 72_707_369;

/** A migration cannot be applied; the database is as it was before that migration. */
export class MigrationError extends FleetgraphError {
  constructor(name: string, why: string, options?: ErrorOptions) {
    super('MIGRATION_FAILED', `${name}: ${why}`, options);
  }
}

interface Applied {
  readonly migration_name: string;
  readonly checksum: string;
  readonly finished_at: Date | null;
}

/**
 * Applies the pending migrations of a folder in name order, each in a transaction of its own, and returns their names.
 * Keeps Prisma's table and checksums, so that `prisma migrate status` agrees afterwards. A migration that holds a
 * line `-- no-transaction` runs outside of one.
 * @throws MigrationError when one fails, was edited after it was applied, or failed half-way before
 */
export async function migrate(databaseUrl: string, folder: string): Promise<string[]> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    await client.query('select pg_advisory_lock($1)', [MIGRATION_LOCK]);
    await client.query(`create table if not exists _prisma_migrations (
      id varchar(36) primary key not null, checksum varchar(64) not null, finished_at timestamptz,
      migration_name varchar(255) not null, logs text, rolled_back_at timestamptz,
      started_at timestamptz not null default now(), applied_steps_count integer not null default 0)`);
    const rows = await client.query<Applied>(
      'select migration_name, checksum, finished_at from _prisma_migrations where rolled_back_at is null',
    );
    const applied = new Map(rows.rows.map((row) => [row.migration_name, row]));
    const names: string[] = [];
    for (const name of await migrationNames(folder)) {
      const sql = await readFile(path.join(folder, name, 'migration.sql'), 'utf8');
      if (await applyOne(client, name, sql, applied.get(name))) names.push(name);
    }
    return names;
  } finally {
    await client.end();
  }
}

async function migrationNames(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  return entries.flatMap((entry) => (entry.isDirectory() ? [entry.name] : [])).sort();
}

async function applyOne(
  client: pg.Client,
  name: string,
  sql: string,
  before: Applied | undefined,
): Promise<boolean> {
  const checksum = createHash('sha256').update(sql).digest('hex');
  if (before && !before.finished_at)
    throw new MigrationError(name, 'failed half-way before; resolve it first');
  if (before && before.checksum !== checksum)
    throw new MigrationError(name, 'was edited after it was applied');
  if (before) return false;
  const inTransaction = !/^--\s*no-transaction\b/m.test(sql);
  try {
    if (inTransaction) await client.query('begin');
    await client.query(sql);
    await client.query(
      `insert into _prisma_migrations (id, checksum, migration_name, finished_at, applied_steps_count)
       values ($1, $2, $3, now(), 1)`,
      [randomUUID(), checksum, name],
    );
    if (inTransaction) await client.query('commit');
    return true;
  } catch (error) {
    if (inTransaction) await client.query('rollback').catch(() => undefined);
    throw new MigrationError(name, error instanceof Error ? error.message : String(error), { cause: error });
  }
}
