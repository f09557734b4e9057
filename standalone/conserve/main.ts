import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { errorMessage } from '#core/runtime/errors.ts';
import { PROJECT } from '../node-process.ts';
import { readDatabase } from './database.ts';
import { judge } from './judge.ts';
import { printVerdict } from './print.ts';
import { readStreams } from './stream.ts';

const USAGE = `Usage: npm run conserve -- [flags]

Counts what a running platform has accepted against what became of it: the sequences of the streams against the frames, the
frames against their outcomes, the outcomes against the rows that are there. Reads only. Exit code 0 when everything has its
place, 1 with the tenants and days where something has not, 2 when it cannot be told.

  --data DIR     the folder of \`npm start\` (default .fleetgraph in this folder): its servers are asked
  --days N       how many days back, today included (default 7)

  DATABASE_URL, NATS_URL   ask these instead
`;

/** Where to ask: the environment, else what a running platform has written down. */
function findServers(dataDir: string): { readonly databaseUrl: string; readonly natsUrl: string } {
  const { DATABASE_URL: databaseUrl, NATS_URL: natsUrl } = process.env;
  if (databaseUrl && natsUrl) return { databaseUrl, natsUrl };
  const file = join(dataDir, 'standalone.json');
  try {
    const { database, nats } = JSON.parse(readFileSync(file, 'utf8')) as { database: string; nats: string };
    return { databaseUrl: database, natsUrl: nats };
  } catch (cause) {
    const advice = 'start the platform with npm start, or set DATABASE_URL and NATS_URL';
    throw new Error(`no platform runs in ${dataDir} (${file} is not there): ${advice}`, { cause });
  }
}

async function run(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: { data: { type: 'string' }, days: { type: 'string' }, help: { type: 'boolean' } },
  });
  if (values.help) {
    process.stdout.write(USAGE);
    return 0;
  }
  const days = Number(values.days ?? 7);
  if (!Number.isInteger(days) || days < 1 || days > 4_000)
    throw new Error('--days is a whole number from 1 to 4000');
  const { databaseUrl, natsUrl } = findServers(resolve(values.data ?? join(PROJECT, '.fleetgraph')));
  // The streams first: what is committed meanwhile is found among the frames.
  const streams = await readStreams(natsUrl);
  const database = await readDatabase({ databaseUrl, days, streams });
  const verdict = judge(streams, database);
  process.stdout.write(printVerdict(verdict, streams, database, days));
  return verdict.differences.length === 0 ? 0 : 1;
}

try {
  process.exitCode = await run(process.argv.slice(2));
} catch (error) {
  process.stderr.write(`${errorMessage(error)}\n`);
  process.exitCode = 2;
}
