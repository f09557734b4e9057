import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { type Attempt, attemptAll, type Caller } from './connect-attempt.ts';
import { median } from './median.ts';

/** What the thread of the attacker is given and what it says in the end. */
export interface AttackData {
  readonly url: string;
  readonly callers: readonly Caller[];
  readonly perSecond: number;
}

export interface AttackReport {
  /** CONNACKs by return code, `none` for connections that ended without. */
  readonly codes: Readonly<Record<string, number>>;
  readonly longestMs: number;
}

export interface AttackOptions {
  /** Wrong passwords in each attacked round, and over how many seconds. */
  readonly guesses: number;
  readonly seconds: number;
  /** Pairs of a quiet round and an attacked one. */
  readonly rounds: number;
}

/** How long the connects of a round took, in ms. */
export interface ConnectRound {
  readonly connected: number;
  readonly refused: number;
  readonly p50: number;
  readonly p95: number;
  readonly mean: number;
}

export interface AttackResult {
  readonly options: AttackOptions;
  readonly devices: number;
  readonly quiet: readonly ConnectRound[];
  readonly attacked: readonly ConnectRound[];
  readonly reports: readonly AttackReport[];
  /** Attacked over quiet: of the medians of the rounds. */
  readonly ratio: { readonly p50: number; readonly p95: number; readonly mean: number };
}

/** Between rounds, so that one does not run into the next: longer than an answer is held back. */
const BREAK_MS = 4_000;

/**
 * The same devices connect once a round, at a steady pace; in every other round somebody guesses passwords from the same
 * address, half of them those of the very devices.
 */
export async function benchAttack(
  url: string,
  devices: readonly Caller[],
  options: AttackOptions,
  say: (line: string) => void,
): Promise<AttackResult> {
  const perSecond = devices.length / options.seconds;
  const quiet: ConnectRound[] = [];
  const attacked: ConnectRound[] = [];
  const reports: AttackReport[] = [];
  say('warming up');
  await attemptAll(url, devices, perSecond);
  for (let round = 1; round <= options.rounds; round++) {
    say(`round ${round} of ${options.rounds}, quiet`);
    quiet.push(roundOf(await attemptAll(url, devices, perSecond)));
    await sleep(BREAK_MS / 4);
    say(`round ${round} of ${options.rounds}, attacked`);
    const callers = guessesAt(devices, options.guesses);
    const report = attack({ url, callers, perSecond: options.guesses / options.seconds });
    attacked.push(roundOf(await attemptAll(url, devices, perSecond)));
    reports.push(await report);
    await sleep(BREAK_MS);
  }
  const ratioOf = (name: 'p50' | 'p95' | 'mean') =>
    median(attacked.map((round) => round[name])) / median(quiet.map((round) => round[name]));
  const ratio = { p50: ratioOf('p50'), p95: ratioOf('p95'), mean: ratioOf('mean') };
  return { ...{ options, quiet, attacked, reports, ratio }, devices: devices.length };
}

/** Guesses on a thread of their own, so that they do not slow down whoever measures. */
function attack(data: AttackData): Promise<AttackReport> {
  const worker = new Worker(new URL('./attack-thread.ts', import.meta.url), { workerData: data });
  return new Promise((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
  });
}

/** Every second one is for a device that exists. */
function guessesAt(devices: readonly Caller[], count: number): Caller[] {
  return Array.from({ length: count }, (_, index) => {
    const { username = 'nobody/nothing' } = devices[index % devices.length] ?? {};
    return { username: index % 2 === 0 ? username : `${username}-${index}`, password: `guess-${index}` };
  });
}

function roundOf(attempts: readonly Attempt[]): ConnectRound {
  const good = attempts.filter(({ returnCode }) => returnCode === 0);
  const times = good.map(({ ms }) => ms).sort((one, other) => one - other);
  return {
    connected: good.length,
    refused: attempts.length - good.length,
    p50: times[Math.floor(times.length * 0.5)] ?? Number.NaN,
    p95: times[Math.floor(times.length * 0.95)] ?? Number.NaN,
    mean: times.reduce((sum, ms) => sum + ms, 0) / times.length,
  };
}
