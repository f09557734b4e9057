import type { Pool, QueryResultRow } from 'pg';
import { translateFailure } from './failures.ts';
import { withReadScope } from './read-scope.ts';
import { type Sql, toStatement } from './sql.ts';
import { createWrites, type Writes } from './writes.ts';

/** Until when a statement may run, in ms since the epoch, and for whom. */
interface Caller {
  deadline(): number;
  readonly signal: AbortSignal | undefined;
}

/** The database as operators of the platform see it: every tenant's rows, on a role of their own that may write next to nothing. */
export interface OperatorDatabase {
  /** @throws TimeoutError, UnavailableError, or what PostgreSQL says */
  rows<Row extends QueryResultRow>(caller: Caller, statement: Sql): Promise<Row[]>;
  /** Resolves when it is committed. */
  commit(statement: Sql): Promise<void>;
  readonly writes: Writes;
  /** Leaves the pool open: it belongs to whoever made it. */
  close(): Promise<void>;
}

/** No tenant has this id. */
const NOBODY = 0;

/** @param pool signed in as the role for operators, which row-level security does not hold back */
export function createOperatorDatabase(pool: Pool, shards: number): OperatorDatabase {
  const writes = createWrites(pool, shards);
  return {
    writes,
    rows: ({ deadline, signal }, statement) =>
      withReadScope({ pool, tenantId: NOBODY, deadline: deadline(), signal }, (scope) =>
        scope.rows(statement),
      ),
    async commit(statement) {
      await pool.query(toStatement(statement)).catch((error: unknown) => {
        throw translateFailure(error);
      });
    },
    close: () => writes.close(),
  };
}
