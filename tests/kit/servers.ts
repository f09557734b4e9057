import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { migrate } from '#core/db/migrate.ts';
import { PROJECT } from '#standalone/node-process.ts';
import { freePort } from '#standalone/ports.ts';
import { openPostgres } from '#standalone/postgres.ts';
import { allowLogins, ensureDatabase } from '#standalone/roles.ts';
import type { SupervisedProcess } from '#standalone/supervise.ts';
import { type TestDatabase, testDatabase } from './database.ts';
import { TEST_PASSWORDS } from './global-setup.ts';

export interface OwnDatabase extends TestDatabase {
  /** The server itself, to be killed. */
  readonly server: SupervisedProcess;
}

/** A PostgreSQL server of one's own with a migrated database, as durable as in production. */
export async function openOwnDatabase(): Promise<OwnDatabase> {
  const folder = mkdtempSync(join(tmpdir(), 'fleetgraph-postgres-'));
  const server = await openPostgres({
    dataDir: join(folder, 'postgres'),
    port: await freePort(),
    password: 'test',
    logFile: join(folder, 'postgres.log'),
  });
  await ensureDatabase(server.url(), 'fleetgraph');
  const url = server.url('fleetgraph');
  await migrate(url, join(PROJECT, 'prisma', 'migrations'));
  await allowLogins(server.url(), TEST_PASSWORDS);
  const database = testDatabase(url, async () => {
    await server.destroy();
    rmSync(folder, { recursive: true, force: true });
  });
  return { ...database, server: server.process };
}
