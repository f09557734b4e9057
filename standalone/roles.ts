import pg from 'pg';
import type { Secrets } from './secrets.ts';

const LOGINS = {
  app: 'fleetgraph_app',
  worker: 'fleetgraph_worker',
  operator: 'fleetgraph_operator',
} as const;

export type Login = keyof typeof LOGINS;

/**
 * Lets the roles that the migrations made sign in with these passwords. They belong to the whole server: every
 * database on it shares them.
 */
export async function allowLogins(adminUrl: string, passwords: Secrets['roles']): Promise<void> {
  await withClient(adminUrl, async (client) => {
    for (const login of ['app', 'worker', 'operator'] as const) {
      await client.query(`alter role ${LOGINS[login]} login password ${pg.escapeLiteral(passwords[login])}`);
    }
  });
}

/** The same database, signed in as one of our roles. */
export function urlAs(adminUrl: string, login: Login, passwords: Secrets['roles']): string {
  const url = new URL(adminUrl);
  url.username = LOGINS[login];
  url.password = encodeURIComponent(passwords[login]);
  return url.href;
}

/** Makes the database unless it exists. */
export async function ensureDatabase(adminUrl: string, name: string): Promise<void> {
  await withClient(adminUrl, async (client) => {
    const found = await client.query('select 1 from pg_database where datname = $1', [name]);
    if (found.rowCount === 0) await client.query(`create database ${pg.escapeIdentifier(name)}`);
  });
}

/** One connection for the time of `use`. */
export async function withClient<Result>(
  url: string,
  use: (client: pg.Client) => Promise<Result>,
): Promise<Result> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 10_000 });
  await client.connect();
  try {
    return await use(client);
  } finally {
    await client.end();
  }
}
