/** SQL is made in core/db, where workers make it too. */
export { all, type Sql, type SqlReader, type SqlValue, sql, toStatement } from '#core/db/sql.ts';
