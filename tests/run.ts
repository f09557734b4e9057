import { randomUUID } from 'node:crypto';
import { GATES, type Gate, GENERATE } from './gates/gates.ts';
import { findLeftovers, RUN_VARIABLE } from './gates/leftovers.ts';
import { installTools } from './gates/tools.ts';
import { type Counts, runVitest, type TestProject } from './gates/vitest.ts';

/**
 * `npm test`: installs what is missing, then runs every gate and every test. `npm test -- presence` runs only the
 * tests whose path holds that word. The last line printed is `N passed, N failed`; fails unless the second is 0.
 */
const PROJECTS: readonly TestProject[] = ['unit', 'integration', 'e2e'];
/** None writes what another reads; most keep one core busy. */
const GATES_AT_ONCE = 2;

interface Outcome extends Counts {
  readonly name: string;
  readonly seconds: number;
}

const outcomes: Outcome[] = [];

async function step(name: string, run: () => Promise<Counts>): Promise<void> {
  const began = Date.now();
  let counts: Counts;
  try {
    counts = await run();
  } catch (error) {
    console.log(`\n✗ ${name}\n${error instanceof Error ? error.message : String(error)}\n`);
    counts = { passed: 0, failed: 1 };
  }
  const seconds = (Date.now() - began) / 1000;
  if (counts.failed === 0) console.log(`✓ ${name} (${seconds.toFixed(1)} s)`);
  outcomes.push({ name, seconds, ...counts });
}

async function gate({ name, run }: Gate): Promise<void> {
  await step(name, async () => {
    await run();
    return { passed: 1, failed: 0 };
  });
}

const filters = process.argv.slice(2);
const run = randomUUID();
let tools: Record<string, string> = {};
await gate({
  name: 'tools',
  run: async () => {
    tools = await installTools((what) => console.log(`  fetching ${what}`));
  },
});
await gate(GENERATE);
if (filters.length === 0) {
  const left = [...GATES];
  const worker = async () => {
    for (let next = left.shift(); next; next = left.shift()) await gate(next);
  };
  await Promise.all(Array.from({ length: GATES_AT_ONCE }, worker));
}
for (const project of PROJECTS) {
  await step(`${project} tests`, () => runVitest(project, filters, { ...tools, [RUN_VARIABLE]: run }));
}
await gate({
  name: 'nothing left running',
  run: async () => {
    const left = findLeftovers(run);
    if (left.length > 0) throw new Error(left.join('\n'));
  },
});

console.log('');
for (const { name, seconds, passed, failed } of outcomes) {
  const mark = failed === 0 ? '✓' : '✗';
  console.log(
    `${mark} ${name.padEnd(32)}${seconds.toFixed(1).padStart(7)} s${passed + failed > 1 ? `   ${passed} passed, ${failed} failed` : ''}`,
  );
}
const sum = (pick: (outcome: Outcome) => number) =>
  outcomes.reduce((total, outcome) => total + pick(outcome), 0);
const failed = sum((outcome) => outcome.failed);
console.log(`\n${sum((outcome) => outcome.passed)} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
