import pg from 'pg';
import { createApiKey } from '#core/auth/api-keys.ts';
import { deriveKey } from '#core/auth/keys.ts';
import type { BenchPlatform } from './platform.ts';
import { type QueryCase, queryCases } from './query-cases.ts';
import { seedQueryFleet } from './query-fleet.ts';
import { openStatementLog } from './statement-log.ts';

export interface QueryBench {
  readonly devices: number;
  /** How often each case is asked, one request at a time. */
  readonly rounds: number;
}

interface QueryFigures {
  readonly name: string;
  /** Of whole requests over HTTP, in ms. */
  readonly p50: number;
  readonly p95: number;
  /** What `p95` stays below, in ms. */
  readonly limit: number;
  /** SQL statements of a request for ten of its rows and for a hundred; of a case without pages twice the same. */
  readonly few: number;
  readonly many: number;
}

export interface QueryResult {
  readonly options: QueryBench;
  readonly seedSeconds: number;
  readonly cases: readonly QueryFigures[];
}

/** The promise to people who look at their fleet. */
export const QUERY_P95_MS = 100;
/** Rows of a page, as the console asks for them. */
const PAGE = 50;
const WARM_UP_ROUNDS = 3;
/** The API's own work beside the request may slip into a count: the least of so many is taken. */
const COUNTS = 3;

type Ask = (each: QueryCase, first: number) => Promise<void>;

/** What people ask of a fleet of so many devices: how long it takes, and whether the number of statements depends on the rows. */
export async function benchQuery(
  platform: BenchPlatform,
  options: QueryBench,
  say: (line: string) => void,
): Promise<QueryResult> {
  const database = new pg.Pool({ connectionString: platform.database, max: 2 });
  try {
    const began = Date.now();
    const run = Date.now().toString(36);
    const fleet = await seedQueryFleet(database, `query-${run}`, options.devices);
    // Others have devices, too.
    await seedQueryFleet(database, `beside-${run}`, Math.ceil(options.devices / 10));
    await settle(database);
    const seedSeconds = (Date.now() - began) / 1000;
    say(`${options.devices} devices are there after ${seedSeconds.toFixed(0)} s`);
    const apiKey = createApiKey(deriveKey(platform.secretKey, 'api-key'));
    await database.query(
      `insert into api_keys (tenant_id, prefix, secret_hash, name, role) values ($1, $2, $3, 'Bench', 'VIEWER')`,
      [fleet.tenantId, apiKey.prefix, apiKey.hash],
    );
    const ask = asker(platform, apiKey.token);
    const cases = queryCases(fleet);
    const times = await time(cases, options.rounds, ask);
    say('counting statements');
    const counts = await countStatements(database, platform.postgresLog, cases, ask);
    const figures = cases.map(({ name, p95Ms = QUERY_P95_MS }, index) => ({
      ...{ name, limit: p95Ms, ...(times[index] ?? { p50: Number.NaN, p95: Number.NaN }) },
      ...(counts[index] ?? { few: Number.NaN, many: Number.NaN }),
    }));
    return { options, seedSeconds, cases: figures };
  } finally {
    await database.end();
  }
}

/** As the server would do by itself a minute later, in the middle of what is measured. */
async function settle(database: pg.Pool): Promise<void> {
  const tables = ['tenants', 'sites', 'devices', 'device_presence', 'device_latest', 'device_groups'];
  for (const table of [...tables, 'device_group_members']) await database.query(`vacuum analyze ${table}`);
  await database.query('checkpoint');
}

/** @throws Error for an answer that is not what was asked for */
function asker({ graphql }: BenchPlatform, token: string): Ask {
  return async ({ name, document, variables, paged }, first) => {
    const response = await fetch(graphql, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
      body: JSON.stringify({ query: document, variables: paged ? { ...variables, first } : variables }),
    });
    const answer: unknown = await response.json();
    if (typeof answer !== 'object' || answer === null || 'errors' in answer)
      throw new Error(`${name}: ${JSON.stringify(answer)}`);
  };
}

/** In turns, so that whatever else the machine does meets all of them alike. */
async function time(cases: readonly QueryCase[], rounds: number, ask: Ask) {
  const times = cases.map((): number[] => []);
  for (let round = -WARM_UP_ROUNDS; round < rounds; round += 1) {
    for (const [index, each] of cases.entries()) {
      const began = performance.now();
      await ask(each, PAGE);
      if (round >= 0) times[index]?.push(performance.now() - began);
    }
  }
  return times.map((of) => ({ p50: percentile(of, 0.5), p95: percentile(of, 0.95) }));
}

/** The smallest of the figures that so many of them do not exceed. */
function percentile(figures: readonly number[], part: number): number {
  const sorted = figures.toSorted((one, other) => one - other);
  return sorted[Math.max(0, Math.ceil(sorted.length * part) - 1)] ?? Number.NaN;
}

async function countStatements(
  database: pg.Pool,
  logFile: string,
  cases: readonly QueryCase[],
  ask: Ask,
): Promise<{ few: number; many: number }[]> {
  const log = await openStatementLog(database, logFile);
  try {
    const found: { few: number; many: number }[] = [];
    for (const each of cases) {
      const count = async (first: number) => {
        const counts: number[] = [];
        for (let n = 0; n < COUNTS; n += 1) counts.push(await log.statementsOf(() => ask(each, first)));
        return Math.min(...counts);
      };
      const few = await count(10);
      found.push({ few, many: each.paged ? await count(100) : few });
    }
    return found;
  } finally {
    await log.close();
  }
}

const growing = ({ few, many }: QueryFigures): boolean => !(many <= few);
const slow = ({ p95, limit }: QueryFigures): boolean => !(p95 < limit);

/** Every case within its time, and with as many statements for a hundred rows as for ten. */
export const isQuick = ({ cases }: QueryResult): boolean =>
  cases.length > 0 && !cases.some((each) => slow(each) || growing(each));

/** A table for people. */
export function describeQuery({ options, seedSeconds, cases }: QueryResult): string {
  const cells = (name: string, ...rest: readonly string[]) =>
    `  ${name.padEnd(34)}${rest.map((text) => text.padStart(10)).join('')}`;
  return [
    `query: ${options.devices.toLocaleString('en-US')} devices, made in ${seedSeconds.toFixed(0)} s; each case ${options.rounds} times, one at a time`,
    cells('', 'p50', 'p95', 'first: 10', 'first: 100'),
    ...cases.map((each) => {
      const verdict = [slow(each) ? `not below ${each.limit} ms` : '', growing(each) ? 'growing' : ''];
      const [p50, p95] = [each.p50, each.p95].map((ms) => `${ms.toFixed(1)} ms`);
      const counts = [each.few, each.many].map((count) => `${count} SQL`);
      return `${cells(each.name, p50 ?? '', p95 ?? '', ...counts)}   ${verdict.filter(Boolean).join(', ')}`.trimEnd();
    }),
  ].join('\n');
}
