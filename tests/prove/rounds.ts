import { setTimeout as sleep } from 'node:timers/promises';
import { createRandom } from '#simulator/signals.ts';
import { until } from '#tests/kit/wait.ts';
import { processTree } from './process-tree.ts';
import { type Account, type Rig, VICTIMS, type Victim } from './rig.ts';

/** One accident under load. */
export interface Round {
  readonly name: string;
  readonly victims: readonly Victim[];
}

export interface Outcome extends Account {
  readonly round: string;
  readonly publishedInRound: number;
  /** From the accident until everything was stored and seen, in ms. */
  readonly recoveredMs: number;
}

/** Messages a second. */
export const RATE = 2_000;
const PUBLISH_MS = 4_000;
const ACCIDENT_AT_MS = 1_500;
/** Shorter than the pause before the first victim is started again. */
const BETWEEN_MS = 120;

export const singles: readonly Round[] = VICTIMS.map((victim) => ({ name: victim, victims: [victim] }));

/** Every two in both orders: what an early acknowledgement loses depends on who dies first. */
export const pairs: readonly Round[] = VICTIMS.flatMap((first) =>
  VICTIMS.filter((second) => second !== first).map((second) => ({
    name: `${first}, then ${second}`,
    victims: [first, second],
  })),
);

/** Some rounds in an order of their own, the same for the same seed. */
export function choose(rounds: readonly Round[], count: number, seed: number): Round[] {
  const random = createRandom(seed);
  return rounds
    .map((round) => ({ round, order: random() }))
    .sort((a, b) => a.order - b.order)
    .slice(0, count)
    .map(({ round }) => round);
}

/**
 * Kills the victims one after the other while messages flow, waits until each is back and everything is accounted for.
 * @throws Error when one of them does not come back, or anybody else has fallen too
 */
export async function killRound(rig: Rig, { name, victims }: Round): Promise<Outcome> {
  const restarts = new Map(VICTIMS.map((victim) => [victim, rig.victim(victim).restarts]));
  const before = rig.published;
  const publishing = rig.publish(RATE, PUBLISH_MS);
  await sleep(ACCIDENT_AT_MS);
  const accidentAt = performance.now();
  for (const victim of victims) {
    rig.victim(victim).kill('SIGKILL');
    await sleep(BETWEEN_MS);
  }
  await publishing;
  const account = await rig.account();
  const recoveredMs = performance.now() - accidentAt;
  for (const victim of VICTIMS) {
    const expected = (restarts.get(victim) ?? 0) + Number(victims.includes(victim));
    const restarted = () => rig.victim(victim).restarts;
    await until(`${victim} to be back`, () => restarted() >= expected);
    if (restarted() > expected) throw new Error(`${victim} fell though nobody killed it`);
    await rig.victim(victim).whenReady();
  }
  return { ...account, round: name, publishedInRound: rig.published - before, recoveredMs };
}

/** Stops a process and all its children for a while, as a machine that swaps or a hypervisor that moves it does. */
export async function pauseRound(rig: Rig, victim: Victim, forMs: number): Promise<Outcome> {
  const before = rig.published;
  const restarts = VICTIMS.map((each) => rig.victim(each).restarts);
  const publishing = rig.publish(RATE / 4, forMs + PUBLISH_MS);
  await sleep(ACCIDENT_AT_MS);
  const paused = processTree(rig.victim(victim).pid ?? 0);
  for (const pid of paused) process.kill(pid, 'SIGSTOP');
  try {
    await sleep(forMs);
  } finally {
    for (const pid of paused) signalIfAlive(pid, 'SIGCONT');
  }
  const resumedAt = performance.now();
  await publishing;
  const account = await rig.account();
  const fell = VICTIMS.filter((each, index) => rig.victim(each).restarts !== restarts[index]);
  if (fell.length > 0) throw new Error(`${fell.join(', ')} fell while ${victim} was paused`);
  return {
    ...account,
    round: `${victim} paused for ${forMs / 1000} s`,
    publishedInRound: rig.published - before,
    recoveredMs: performance.now() - resumedAt,
  };
}

function signalIfAlive(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It ended meanwhile.
  }
}
