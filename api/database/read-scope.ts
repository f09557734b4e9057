import type { Pool, PoolClient, QueryResult, QueryResultRow } from 'pg';
import { TimeoutError, translateFailure } from './failures.ts';
import { type Sql, toStatement } from './sql.ts';

export interface ReadScopeOptions {
  readonly pool: Pool;
  readonly tenantId: number;
  /** When the operation's time is up, in ms since the epoch: sets `statement_timeout`. */
  readonly deadline: number;
  /** Aborting cancels the running query on the server. */
  readonly signal?: AbortSignal | undefined;
  /** One state of the database for every query of the scope. Default false: each query sees what was committed before it. */
  readonly snapshot?: boolean;
}

/**
 * One read-only transaction that sees one tenant's rows. It is opened by the first query and held until `release`;
 * a query after that opens another one.
 */
export interface ReadScope {
  /** @throws TimeoutError, UnavailableError, or what PostgreSQL says */
  rows<Row extends QueryResultRow>(statement: Sql): Promise<Row[]>;
  release(): Promise<void>;
}

export function createReadScope(options: ReadScopeOptions): ReadScope {
  let opening: Promise<PoolClient> | undefined;
  /** Settles when the last query has: a connection does one thing at a time. */
  let last: Promise<unknown> = Promise.resolve();
  const run = async <Row extends QueryResultRow>(
    statement: Sql,
    before: Promise<unknown>,
  ): Promise<Row[]> => {
    opening ??= open(options);
    const client = await opening;
    await before;
    if (options.signal?.aborted || Date.now() > options.deadline) throw new TimeoutError();
    const stopWatching = watch(client, options);
    try {
      const result: QueryResult<Row> = await client.query<Row>(toStatement(statement));
      return result.rows;
    } catch (error) {
      throw translateFailure(error);
    } finally {
      stopWatching();
    }
  };
  return {
    rows<Row extends QueryResultRow>(statement: Sql) {
      const rows = run<Row>(statement, last);
      last = rows.catch(() => undefined);
      return rows;
    },
    async release() {
      const current = opening;
      opening = undefined;
      const client = await current?.catch(() => undefined);
      await last;
      if (!client) return;
      await client.query('commit').then(
        () => client.release(),
        (error: unknown) => client.release(error instanceof Error ? error : true),
      );
    },
  };
}

/** Runs `work` in a scope of its own. */
export async function withReadScope<Result>(
  options: ReadScopeOptions,
  work: (scope: ReadScope) => Promise<Result>,
): Promise<Result> {
  const scope = createReadScope(options);
  try {
    return await work(scope);
  } finally {
    await scope.release();
  }
}

async function open({ pool, tenantId, deadline, snapshot }: ReadScopeOptions): Promise<PoolClient> {
  const remaining = Math.floor(deadline - Date.now());
  if (remaining <= 0) throw new TimeoutError();
  const client = await pool.connect().catch((error: unknown) => {
    throw translateFailure(error);
  });
  try {
    await client.query(
      `begin isolation level ${snapshot ? 'repeatable read' : 'read committed'} read only;
       set local statement_timeout = ${remaining}; set local app.tenant_id = '${Math.trunc(tenantId)}'`,
    );
    return client;
  } catch (error) {
    client.release(true);
    throw translateFailure(error);
  }
}

/** Cancels what the connection is doing when the operation is aborted. */
function watch(client: PoolClient, { pool, signal }: ReadScopeOptions): () => void {
  if (!signal) return () => undefined;
  const cancel = () => {
    const pid = backendOf(client);
    if (pid !== undefined) void pool.query('select pg_cancel_backend($1)', [pid]).catch(() => undefined);
  };
  signal.addEventListener('abort', cancel, { once: true });
  return () => signal.removeEventListener('abort', cancel);
}

function backendOf(client: PoolClient): number | undefined {
  return 'processID' in client && typeof client.processID === 'number' ? client.processID : undefined;
}
