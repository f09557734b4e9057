import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Pool } from 'pg';

/** Counts the statements that the API sends, by the log of PostgreSQL. */
export interface StatementLog {
  /** The statements that reach the server while `work` runs; transaction control left out. */
  statementsOf(work: () => Promise<unknown>): Promise<number>;
  /** PostgreSQL logs as before. */
  close(): Promise<void>;
}

const SETTINGS = { log_statement: `'all'`, log_line_prefix: `'%u|'` };
const SENT = /^fleetgraph_app\|LOG: {2}(?:statement|execute [^:]*): (?!\s*(?:begin|commit|rollback)\b)/gim;
const PATIENCE_MS = 10_000;

/**
 * @param database as the superuser
 * @param logFile where that server logs
 */
export async function openStatementLog(database: Pool, logFile: string): Promise<StatementLog> {
  const apply = async (words: readonly string[]) => {
    for (const each of words) await database.query(`alter system ${each}`);
    await database.query('select pg_reload_conf()');
  };
  /** Everything that was logged before it is in the file: the server writes in the order of what it does. */
  const upTo = async (mark: string): Promise<number> => {
    const end = Date.now() + PATIENCE_MS;
    while (Date.now() < end) {
      await database.query(`select '${mark}'`);
      const place = readFileSync(logFile, 'utf8').indexOf(`select '${mark}'`);
      if (place >= 0) return place;
      await sleep(20);
    }
    throw new Error(`PostgreSQL does not log its statements to ${logFile}`);
  };
  await apply(Object.entries(SETTINGS).map(([name, value]) => `set ${name} = ${value}`));
  let marks = 0;
  return {
    async statementsOf(work) {
      const run = `${process.pid}-${++marks}`;
      const begin = await upTo(`begin ${run}`);
      await work();
      const end = await upTo(`end ${run}`);
      const text = readFileSync(logFile, 'utf8').slice(begin, end);
      return text.match(SENT)?.length ?? 0;
    },
    close: () => apply(Object.keys(SETTINGS).map((name) => `reset ${name}`)),
  };
}
