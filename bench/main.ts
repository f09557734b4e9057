import process from 'node:process';
import { parseArgs } from 'node:util';
import pg from 'pg';
import { benchAttack } from './attack.ts';
import { benchPeak, describePeak } from './compare.ts';
import { provision } from './fleet.ts';
import { benchGrowth, describeGrowth, isFlat } from './growth.ts';
import { benchIngest, isSound } from './ingest.ts';
import { benchPath } from './path.ts';
import { type BenchPlatform, readRunning, startPlatform } from './platform.ts';
import { describeAttack, describeIngest, describePath } from './print.ts';
import { benchQuery, describeQuery, isQuick } from './query.ts';
import { benchTemplates, describeTemplates, holdsWithTemplates } from './templates.ts';

const USAGE = `Usage: npm run bench <what> -- [flags]

  ingest   devices publish at a steady rate; every message is accounted for
    --rate N         messages a second (default 10000)
    --seconds S      measured time after the warm-up (default 20)
    --connections C  devices, one connection each (default 200)
    --warm-up S      in the first half of it the rate rises (default 20)
    --tenants N      the devices belong to this many tenants (default 4)
    --subscribers N  graphql-ws clients, five devices each (default 100; 20 with --peak)
    --peak           finds the highest rate that holds, on 50 connections unless said otherwise
    --peers          the same of other ways to do it, on the same machine
    --templates      devices without and with a template, a map, sensors and enforcement, in turns; --rounds of each
  growth   what a message costs with 1 to 1 000 tenants and 1 000 to 100 000 devices
    --rate N         (default 8000)
    --seconds S      of each step (default 30)
    --connections C  which the devices share (default 1000)
  path     one device and one subscriber, nothing else
    --seconds S      (default 20)
  attack   devices connect while somebody guesses passwords; the same without, in turns
    --connections C  devices (default 200)
    --guesses N      wrong passwords a round (default 10000)
    --seconds S      length of a round (default 20)
    --rounds N       of each kind (default 3)
  query    what people ask of a fleet, over HTTP: p50, p95 and the number of SQL statements of lists, filters, search, groups, sites
    --devices N      of the tenant (default 100000); another one has a tenth of them
    --rounds N       (default 20)

  --data DIR         use the platform that npm start runs on this folder instead of starting one
  --profile NAME     write NAME.cpuprofile, of gateway, ingest, api, … or all (not with --data)
  --json             print the figures as JSON as well
`;

/** The promise of the whole path at rest. */
const PATH_P95_MS = 250;

/** How much longer a device may take to connect while passwords are guessed. */
const CONNECT_RATIO = 1.2;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rate: { type: 'string' },
    seconds: { type: 'string' },
    connections: { type: 'string' },
    'warm-up': { type: 'string', default: '20' },
    tenants: { type: 'string', default: '4' },
    subscribers: { type: 'string' },
    guesses: { type: 'string', default: '10000' },
    rounds: { type: 'string' },
    devices: { type: 'string' },
    peak: { type: 'boolean', default: false },
    peers: { type: 'boolean', default: false },
    templates: { type: 'boolean', default: false },
    data: { type: 'string' },
    profile: { type: 'string' },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

function count(
  name:
    | 'rate'
    | 'seconds'
    | 'connections'
    | 'warm-up'
    | 'tenants'
    | 'subscribers'
    | 'guesses'
    | 'rounds'
    | 'devices',
  least: number,
  byDefault = 0,
): number {
  const value = Number(values[name] ?? byDefault);
  if (Number.isInteger(value) && value >= least) return value;
  process.stderr.write(`--${name} is a whole number from ${least}\n`);
  process.exit(2);
}

const say = (line: string) => process.stderr.write(`  · ${line}\n`);
const json = (result: object) =>
  JSON.stringify(
    result,
    (_, value: unknown) => (value instanceof Map ? Object.fromEntries(value) : value),
    2,
  );

async function ingest(platform: BenchPlatform): Promise<boolean> {
  const options = {
    rate: count('rate', 1, 10_000),
    seconds: count('seconds', 1, 20),
    warmUpSeconds: count('warm-up', 0),
    connections: count('connections', 1, 200),
    tenants: count('tenants', 1),
    subscribers: count('subscribers', 0, 100),
  };
  if (values.templates) {
    const result = await benchTemplates(platform, options, count('rounds', 1, 3), say);
    tell(describeTemplates(result), result.ratio);
    return holdsWithTemplates(result);
  }
  const result = await benchIngest(platform, options, say);
  tell(describeIngest(result), { ...result, live: { ...result.live, seen: undefined } });
  return isSound(result);
}

async function peak(platform: BenchPlatform): Promise<boolean> {
  const options = {
    seconds: count('seconds', 1, 15),
    connections: count('connections', 1, 50),
    tenants: count('tenants', 1),
    subscribers: count('subscribers', 0, 20),
    peers: values.peers,
  };
  const result = await benchPeak(platform, options, say);
  tell(describePeak(result, options), result);
  return result.ours !== undefined;
}

async function growth(platform: BenchPlatform): Promise<boolean> {
  const options = {
    rate: count('rate', 1, 8_000),
    seconds: count('seconds', 1, 30),
    connections: count('connections', 1, 1_000),
  };
  const series = await benchGrowth(platform, options, say);
  tell(describeGrowth(series), { series });
  return isFlat(series);
}

async function path(platform: BenchPlatform): Promise<boolean> {
  const result = await benchPath(platform, count('seconds', 1, 20));
  tell(describePath(result), result);
  return result.live.p95 < PATH_P95_MS;
}

async function attack(platform: BenchPlatform): Promise<boolean> {
  const database = new pg.Pool({ connectionString: platform.database, max: 4 });
  const [tenants, connections] = [count('tenants', 1), count('connections', 1, 200)];
  const fleet = await provision(database, platform.secretKey, tenants, connections).finally(() =>
    database.end(),
  );
  const result = await benchAttack(
    platform.mqtt,
    fleet.flatMap((tenant) => tenant.devices),
    { guesses: count('guesses', 1), seconds: count('seconds', 1, 20), rounds: count('rounds', 1, 3) },
    say,
  );
  tell(describeAttack(result), result);
  const refused = [...result.quiet, ...result.attacked].reduce((sum, round) => sum + round.refused, 0);
  return refused === 0 && result.ratio.p50 <= CONNECT_RATIO;
}

async function query(platform: BenchPlatform): Promise<boolean> {
  const options = { devices: count('devices', 1_000, 100_000), rounds: count('rounds', 1, 20) };
  const result = await benchQuery(platform, options, say);
  tell(describeQuery(result), result);
  return isQuick(result);
}

function tell(text: string, result: object): void {
  process.stdout.write(`${text}\n`);
  if (values.json) process.stdout.write(`${json(result)}\n`);
}

const BENCHES: Readonly<Record<string, (platform: BenchPlatform) => Promise<boolean>>> = {
  ingest: values.peak || values.peers ? peak : ingest,
  growth,
  path,
  attack,
  query,
};

const [what = ''] = positionals;
const run = Object.hasOwn(BENCHES, what) ? BENCHES[what] : undefined;
if (values.help || !run) {
  process.stdout.write(USAGE);
  process.exit(values.help ? 0 : 2);
}

{
  const api = what !== 'attack' && (what !== 'ingest' || values.subscribers !== '0');
  await using platform =
    values.data === undefined
      ? await startPlatform(say, { api, profile: values.profile })
      : readRunning(values.data);
  if (!(await run(platform))) process.exitCode = 1;
}
