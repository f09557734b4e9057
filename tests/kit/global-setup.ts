import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { migrate } from '#core/db/migrate.ts';
import { PROJECT } from '#standalone/node-process.ts';
import { freePort } from '#standalone/ports.ts';
import { openPostgres } from '#standalone/postgres.ts';
import { allowLogins, ensureDatabase } from '#standalone/roles.ts';

/** The passwords of our roles on a test server. */
export const TEST_PASSWORDS = { app: 'app', worker: 'worker', operator: 'operator' };
export const TEMPLATE_DATABASE = 'fleetgraph_template';

declare module 'vitest' {
  interface ProvidedContext {
    /** A running server, as its superuser, with a migrated database to clone. */
    postgresUrl: string;
  }
}

let end: (() => Promise<void>) | undefined;

/** Starts one PostgreSQL for the whole run; each test file works in a clone of its template database. */
export async function setup(project: TestProject): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'fleetgraph-tests-'));
  const server = await openPostgres({
    dataDir: join(folder, 'postgres'),
    port: await freePort(),
    password: 'test',
    logFile: join(folder, 'postgres.log'),
    durable: false,
    settings: { max_connections: 300 },
  });
  await ensureDatabase(server.url(), TEMPLATE_DATABASE);
  await migrate(server.url(TEMPLATE_DATABASE), join(PROJECT, 'prisma', 'migrations'));
  await allowLogins(server.url(), TEST_PASSWORDS);
  project.provide('postgresUrl', server.url());
  end = async () => {
    await server.destroy();
    rmSync(folder, { recursive: true, force: true });
  };
}

export async function teardown(): Promise<void> {
  await end?.();
}
