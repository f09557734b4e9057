import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { inject } from 'vitest';
import { urlAs, withClient } from '#standalone/roles.ts';
import { TEMPLATE_DATABASE, TEST_PASSWORDS } from './global-setup.ts';

/** A migrated database of one's own. */
export interface TestDatabase extends AsyncDisposable {
  /** As the superuser, as the API's role, as the workers' role. */
  readonly adminUrl: string;
  readonly appUrl: string;
  readonly workerUrl: string;
  /** As the role of operators of the platform. */
  readonly operatorUrl: string;
  /** As the superuser: sees and changes everything. */
  readonly admin: pg.Pool;
  /** As the workers' role. */
  readonly worker: pg.Pool;
}

/** Clones the template database; disposing closes the pools and drops the clone. */
export async function openTestDatabase(): Promise<TestDatabase> {
  const serverUrl = inject('postgresUrl');
  const name = `test_${randomUUID().replaceAll('-', '')}`;
  await withClient(serverUrl, (client) =>
    client.query(`create database ${name} template ${TEMPLATE_DATABASE}`),
  );
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  return testDatabase(url.href, async () => {
    await withClient(serverUrl, (client) => client.query(`drop database ${name} with (force)`));
  });
}

/** Pools on a migrated database whose roles have the test passwords. */
export function testDatabase(adminUrl: string, dispose: () => Promise<void>): TestDatabase {
  const workerUrl = urlAs(adminUrl, 'worker', TEST_PASSWORDS);
  const admin = openQuietPool(adminUrl);
  const worker = openQuietPool(workerUrl);
  return {
    adminUrl,
    appUrl: urlAs(adminUrl, 'app', TEST_PASSWORDS),
    workerUrl,
    operatorUrl: urlAs(adminUrl, 'operator', TEST_PASSWORDS),
    admin,
    worker,
    async [Symbol.asyncDispose]() {
      await Promise.all([admin.end(), worker.end()]);
      await dispose();
    },
  };
}

/** A pool whose idle connections may break (a test kills the server) without ending the test. */
function openQuietPool(connectionString: string): pg.Pool {
  const pool = new pg.Pool({ connectionString, max: 6, connectionTimeoutMillis: 30_000 });
  pool.on('error', () => undefined);
  pool.on('connect', (client) => client.on('error', () => undefined));
  return pool;
}
