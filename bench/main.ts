import process from 'node:process';
import { parseArgs } from 'node:util';
import pg from 'pg';
import { benchAttack } from './attack.ts';
import { provision } from './fleet.ts';
import { benchIngest } from './ingest.ts';
import { benchPath } from './path.ts';
import { readRunning, startPlatform } from './platform.ts';
import { describeAttack, describeIngest, describePath } from './print.ts';

const USAGE = `Usage: npm run bench <what> -- [flags]

  ingest   devices publish at a steady rate; every message is accounted for
    --rate N         messages a second (default 10000)
    --seconds S      measured time after the warm-up (default 20)
    --connections C  devices, one connection each (default 200)
    --warm-up S      (default 5)
    --tenants N      the devices belong to this many tenants (default 4)
    --subscribers N  graphql-ws clients, five devices each (default 20)
  path     one device and one subscriber, nothing else
    --seconds S      (default 20)
  attack   devices connect while somebody guesses passwords; the same without, in turns
    --connections C  devices (default 200)
    --guesses N      wrong passwords a round (default 10000)
    --seconds S      length of a round (default 20)
    --rounds N       of each kind (default 3)

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
    rate: { type: 'string', default: '10000' },
    seconds: { type: 'string', default: '20' },
    connections: { type: 'string', default: '200' },
    'warm-up': { type: 'string', default: '5' },
    tenants: { type: 'string', default: '4' },
    subscribers: { type: 'string', default: '20' },
    guesses: { type: 'string', default: '10000' },
    rounds: { type: 'string', default: '3' },
    data: { type: 'string' },
    profile: { type: 'string' },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

function count(
  name: 'rate' | 'seconds' | 'connections' | 'warm-up' | 'tenants' | 'subscribers' | 'guesses' | 'rounds',
  least: number,
): number {
  const value = Number(values[name]);
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

const [what] = positionals;
if (values.help || (what !== 'ingest' && what !== 'path' && what !== 'attack')) {
  process.stdout.write(USAGE);
  process.exit(values.help ? 0 : 2);
}

{
  const api = what === 'path' || (what === 'ingest' && count('subscribers', 0) > 0);
  await using platform =
    values.data === undefined
      ? await startPlatform(say, { api, profile: values.profile })
      : readRunning(values.data);
  if (what === 'ingest') {
    const result = await benchIngest(
      platform,
      {
        rate: count('rate', 1),
        seconds: count('seconds', 1),
        warmUpSeconds: count('warm-up', 0),
        connections: count('connections', 1),
        tenants: count('tenants', 1),
        subscribers: count('subscribers', 0),
      },
      say,
    );
    process.stdout.write(`${describeIngest(result)}\n`);
    if (values.json)
      process.stdout.write(`${json({ ...result, live: { ...result.live, seen: undefined } })}\n`);
    const { lost, doubled } = result.verdict;
    if (lost > 0 || doubled > 0 || !result.allAcknowledged) process.exitCode = 1;
  } else if (what === 'attack') {
    const database = new pg.Pool({ connectionString: platform.database, max: 4 });
    const fleet = await provision(
      database,
      platform.secretKey,
      count('tenants', 1),
      count('connections', 1),
    ).finally(() => database.end());
    const result = await benchAttack(
      platform.mqtt,
      fleet.flatMap((tenant) => tenant.devices),
      { guesses: count('guesses', 1), seconds: count('seconds', 1), rounds: count('rounds', 1) },
      say,
    );
    process.stdout.write(`${describeAttack(result)}\n`);
    if (values.json) process.stdout.write(`${json(result)}\n`);
    const refused = [...result.quiet, ...result.attacked].reduce((sum, round) => sum + round.refused, 0);
    if (refused > 0 || !(result.ratio.p50 <= CONNECT_RATIO)) process.exitCode = 1;
  } else {
    const result = await benchPath(platform, count('seconds', 1));
    process.stdout.write(`${describePath(result)}\n`);
    if (values.json) process.stdout.write(`${json(result)}\n`);
    if (!(result.live.p95 < PATH_P95_MS)) process.exitCode = 1;
  }
}
