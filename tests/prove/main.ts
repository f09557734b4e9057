import process from 'node:process';
import { parseArgs } from 'node:util';
import { EVERY_FAULT } from '#simulator/known-set.ts';
import { installTools } from '#tests/gates/tools.ts';
import { proveBadInput } from './bad-input.ts';
import { judgeConservation } from './conserved.ts';
import { proveFullStream } from './full-stream.ts';
import { type KnownSetOutcome, proveKnownSet } from './known-set.ts';
import { openRig, type Rig } from './rig.ts';
import { choose, killRound, type Outcome, pairs, pauseRound, singles } from './rounds.ts';

const USAGE = `Usage: npm run prove [-- flags]

Starts the whole platform with real servers, an outside broker, devices at both doors and a live subscriber, and does to it what
happens in production. Prints what came of every message; exits 1 when one was lost, doubled or missed.

  --only LIST      of kill, pause, oracle, storm, full, fuzz (default all)
  --rounds N       rounds of kill -9: every process, then this many in all with pairs (default 81: all)
  --pause S        how long postgres and nats-server stand still, in seconds (default 30)
  --devices N      that reconnect at once (default 2000)
  --inputs N       of each kind of bad input (default 2000)
  --seed N         chooses the pairs, the known sets and the bad input (default 1)
`;

const SCENES = ['kill', 'pause', 'oracle', 'storm', 'full', 'fuzz'] as const;

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: SCENES.join(',') },
    rounds: { type: 'string', default: String(singles.length + pairs.length) },
    pause: { type: 'string', default: '30' },
    devices: { type: 'string', default: '2000' },
    inputs: { type: 'string', default: '2000' },
    seed: { type: 'string', default: '1' },
    help: { type: 'boolean', default: false },
  },
});
const wanted = new Set(values.only.split(','));
const unknown = [...wanted].filter((name) => !SCENES.some((scene) => scene === name));
if (values.help || unknown.length > 0) {
  process.stdout.write(USAGE);
  process.exit(values.help ? 0 : 2);
}

let failures = 0;
const print = (good: boolean, line: string) => {
  if (!good) failures += 1;
  process.stdout.write(`${good ? '✓' : '✗'} ${line}\n`);
};
const round = (ms: number) => `${(ms / 1000).toFixed(1)} s`;

function printOutcome(outcome: Outcome): void {
  const { acknowledged, stored, lost, doubled, mismeasured, missedLive, repeatedLive, gaps } = outcome;
  const good =
    stored === acknowledged && lost + doubled + mismeasured + missedLive + repeatedLive + gaps === 0;
  print(
    good,
    `${outcome.round.padEnd(28)} ${outcome.publishedInRound} acknowledged, ${lost} lost, ${doubled} doubled, ${mismeasured} mismeasured; live ${missedLive} missed, ${repeatedLive} repeated; settled ${round(outcome.recoveredMs)} later`,
  );
}

function printKnownSet(name: string, outcome: KnownSetOutcome, more = ''): void {
  const { acknowledged, stored, lost, doubled, invented, wrong, unacknowledged } = outcome;
  print(
    stored === acknowledged && lost + doubled + invented + wrong + unacknowledged === 0,
    `${name.padEnd(28)} ${outcome.devices} devices, ${acknowledged} samples acknowledged, ${lost} lost, ${doubled} doubled, ${wrong} wrong, ${invented} invented, ${outcome.reconnects} reconnects${more}`,
  );
  for (const finding of outcome.findings) process.stdout.write(`    ${finding}\n`);
}

async function prove(rig: Rig): Promise<void> {
  const seed = Number(values.seed);
  if (wanted.has('kill')) {
    const extra = Math.max(0, Number(values.rounds) - singles.length);
    const rounds = [...singles, ...choose(pairs, extra, seed)].slice(0, Number(values.rounds));
    for (const each of rounds) printOutcome(await killRound(rig, each));
  }
  if (wanted.has('pause')) {
    for (const victim of ['postgres', 'nats-server'] as const) {
      printOutcome(await pauseRound(rig, victim, Number(values.pause) * 1000));
    }
  }
  if (wanted.has('oracle')) {
    const set = { seed, devices: 100, samples: 1_000, intervalMs: 50, faults: EVERY_FAULT };
    printKnownSet('known set, every fault', await proveKnownSet(rig, 'oracle', set));
  }
  if (wanted.has('storm')) {
    const devices = Number(values.devices);
    const faults = { ...EVERY_FAULT, storms: 1, silentMs: 0 };
    const set = { seed, devices, samples: 20, intervalMs: 1_000, faults };
    const outcome = await proveKnownSet(rig, 'storm', set);
    const [back = Number.NaN] = outcome.reconnectedMs;
    printKnownSet(`${devices} devices come back`, outcome, `, all connected ${round(back)} later`);
  }
  if (wanted.has('full')) {
    const outcome = await proveFullStream(rig, 'full');
    printKnownSet('JetStream full', outcome, `, held ${outcome.heldBytes} of ${outcome.limitBytes} bytes`);
  }
  if (wanted.has('fuzz')) {
    const outcome = await proveBadInput(rig, 'fuzz', seed, Number(values.inputs));
    const sent = `${outcome.payloads} payloads, ${outcome.bodies} bodies, ${outcome.documents} documents, ${outcome.frames} frames`;
    const fate = `${outcome.accepted} accepted = ${outcome.stored} stored + ${outcome.quarantined} quarantined + duplicates`;
    print(
      outcome.findings.length === 0,
      `${'bad input'.padEnd(28)} ${sent}; ${fate}; slowest answer ${Math.round(outcome.slowestMs)} ms`,
    );
    for (const finding of outcome.findings) process.stdout.write(`    ${finding}\n`);
  }
  const { tenants, differences } = await judgeConservation(rig);
  const sum = (pick: (tenant: (typeof tenants)[number]) => number) =>
    tenants.reduce((all, tenant) => all + pick(tenant), 0);
  print(
    differences.length === 0,
    `${'conservation'.padEnd(28)} ${sum(({ accepted }) => accepted)} accepted = ${sum(({ stored }) => stored)} stored + ${sum(({ duplicate }) => duplicate)} duplicate + ${sum(({ quarantined }) => quarantined)} quarantined + ${sum(({ deadLettered }) => deadLettered)} dead-lettered + ${sum(({ inFlight }) => inFlight)} in flight`,
  );
  for (const difference of differences) process.stdout.write(`    ${difference}\n`);
}

Object.assign(process.env, await installTools((what) => process.stderr.write(`fetching ${what}\n`)));
{
  await using rig = await openRig();
  await prove(rig);
}
process.stdout.write(failures === 0 ? 'proved\n' : `${failures} not proved\n`);
process.exitCode = failures === 0 ? 0 : 1;
