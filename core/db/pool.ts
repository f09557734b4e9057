import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import type { Logger } from '../runtime/logger.ts';

export type Pool = pg.Pool;
export type Connection = pg.PoolClient;
/** Either: what a query can be sent to. */
export type Queryable = Pick<pg.ClientBase, 'query'>;

/** Runs a statement in somebody's transaction and answers its rows, whatever library the transaction is of. */
export type RunSql = <Row>(text: string, values: readonly unknown[]) => Promise<readonly Row[]>;

/** Statements on a pool or connection. */
export function runOn(db: Queryable): RunSql {
  return async <Row>(text: string, values: readonly unknown[]) => {
    const { rows } = await db.query<Row & pg.QueryResultRow>(text, [...values]);
    return rows;
  };
}

export interface PoolOptions {
  readonly url: string;
  /** Shown in pg_stat_activity. */
  readonly name: string;
  /** The most connections. */
  readonly max: number;
  readonly log: Logger;
}

/** A pool that connects on first use and survives restarts of the server: a broken connection is only replaced. */
export function openPool(options: PoolOptions): Pool {
  const pool = new pg.Pool({
    connectionString: options.url,
    application_name: options.name,
    max: options.max,
    connectionTimeoutMillis: 5_000,
    idleTimeoutMillis: 30_000,
    keepAlive: true,
  });
  pool.on('error', (error) => options.log.warn({ err: error }, 'database connection lost'));
  // A connection that breaks while it is checked out reports to its query; without a listener it would end the process.
  pool.on('connect', (client) => client.on('error', () => undefined));
  return pool;
}

/** Runs `work` in one transaction: commits what it returns, rolls back what it throws. */
export async function transaction<Result>(
  pool: Pool,
  work: (connection: Connection) => Promise<Result>,
): Promise<Result> {
  const connection = await pool.connect();
  let broken: Error | undefined;
  try {
    await connection.query('begin');
    const result = await work(connection);
    await connection.query('commit');
    return result;
  } catch (error) {
    await connection.query('rollback').catch((rollback: Error) => {
      broken = rollback;
    });
    throw error;
  } finally {
    connection.release(broken);
  }
}

/** Whether the database answers within two seconds. */
export async function databaseAnswers(pool: Pool): Promise<boolean> {
  const timeout = new Promise<boolean>((resolve) => setTimeout(resolve, 2_000, false).unref());
  return Promise.race([
    pool.query('select 1').then(
      () => true,
      () => false,
    ),
    timeout,
  ]);
}

const ASK_AGAIN_MS = 250;
/** It starts or stops, or has no connection left: in a while it will answer. */
const SOON = ['57P01', '57P02', '57P03', '53300'];

/**
 * Resolves when the database answers: a process that starts while it is away waits for it.
 * @throws Error when it answers, and refuses
 */
export async function untilDatabaseAnswers(pool: Pool, log: Logger): Promise<void> {
  for (let asked = 0; ; asked += 1) {
    try {
      await pool.query('select 1');
      return;
    } catch (error) {
      const state = sqlState(error);
      if (state !== undefined && !SOON.includes(state)) throw error;
      if (asked === 0) log.warn({ err: error }, 'the database does not answer, waiting');
    }
    await sleep(ASK_AGAIN_MS);
  }
}

/** The SQLSTATE of a database error; undefined for anything else (a lost connection has none). */
export function sqlState(error: unknown): string | undefined {
  return error instanceof pg.DatabaseError ? error.code : undefined;
}
