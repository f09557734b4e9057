import { type ChildProcess, spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Account, guarded } from './guard.ts';
import { type LogFile, openLogFile } from './log-file.ts';

const FIRST_BACKOFF_MS = 200;
const LAST_BACKOFF_MS = 5000;
/** Up this long, a process counts as healthy and its next fall starts the backoff anew. */
const HEALTHY_AFTER_MS = 10_000;
const FIRST_START_ATTEMPTS = 3;

export interface ProcessSpec {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  /** The whole environment of the child; default: ours. */
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
  /** Run as somebody else; only root can. */
  readonly account?: Account | undefined;
  readonly logFile: string;
  /** Asks for a graceful stop. Default SIGTERM. */
  readonly stopSignal?: NodeJS.Signals;
  /** Sent by the kernel when we die without stopping it. Default SIGKILL. */
  readonly orphanSignal?: NodeJS.Signals;
  /** Clears what an earlier life left behind; runs before every start. */
  readonly beforeStart?: () => Promise<void>;
  /** Asked every 25 ms until true. */
  readonly isReady: () => Promise<boolean>;
  /** Default 30 000. */
  readonly readyTimeoutMs?: number;
}

export type ProcessChange =
  | { readonly state: 'starting' }
  | { readonly state: 'ready'; readonly afterMs: number; readonly restarts: number }
  | { readonly state: 'down'; readonly reason: string; readonly retryMs: number }
  | { readonly state: 'stopped' };

export interface SuperviseOptions {
  /** Start it again, 0.2 to 5 s later, whenever it ends by itself. Default true. */
  readonly restart?: boolean;
  readonly onChange?: (change: ProcessChange) => void;
  /** Aborting gives the first start up; it means nothing afterwards. */
  readonly signal?: AbortSignal;
}

export interface SupervisedProcess extends AsyncDisposable {
  readonly name: string;
  /** Of the present life; undefined between two. */
  readonly pid: number | undefined;
  readonly restarts: number;
  /** Resolves at once when it is ready, else when it next becomes so; rejects when it is stopped before. */
  whenReady(): Promise<void>;
  /** Sends a signal to the present life, as an accident would. */
  kill(signal: NodeJS.Signals): void;
  /** Starts it again after an end that nobody restarted (`restart: false`). */
  start(): Promise<void>;
  /** Asks it to stop and kills it at the deadline (default 5 000 ms). Never restarts afterwards. */
  stop(deadlineMs?: number): Promise<void>;
}

/**
 * Starts a process and keeps it running. Resolves when it is ready for the first time.
 * @throws Error with the end of its log when it does not get that far in three attempts.
 */
export async function supervise(
  spec: ProcessSpec,
  options: SuperviseOptions = {},
): Promise<SupervisedProcess> {
  const supervisor = new Supervisor(spec, options);
  await supervisor.start();
  return supervisor;
}

interface Life {
  readonly child: ChildProcess;
  /** Why it ended. */
  readonly ended: Promise<string>;
  over: boolean;
}

class Supervisor implements SupervisedProcess {
  readonly #spec: ProcessSpec;
  readonly #options: SuperviseOptions;
  readonly #log: LogFile;
  readonly #stopping = new AbortController();
  readonly #waiting = new Set<PromiseWithResolvers<void>>();
  #life: Life | undefined;
  #watching: Promise<void> = Promise.resolve();
  #ready = false;
  #restarts = 0;

  constructor(spec: ProcessSpec, options: SuperviseOptions) {
    this.#spec = spec;
    this.#options = options;
    this.#log = openLogFile(spec.logFile);
  }

  get name(): string {
    return this.#spec.name;
  }

  get pid(): number | undefined {
    return this.#life?.over === false ? this.#life.child.pid : undefined;
  }

  get restarts(): number {
    return this.#restarts;
  }

  async start(): Promise<void> {
    if (this.pid !== undefined) return;
    const giveUp = () => void this.stop(1000);
    const { signal } = this.#options;
    signal?.addEventListener('abort', giveUp, { once: true });
    if (signal?.aborted) giveUp();
    try {
      await this.#firstLife();
    } finally {
      signal?.removeEventListener('abort', giveUp);
    }
    this.#watching = this.#watch();
  }

  /** @throws Error with the end of the log when no attempt gets as far as ready. */
  async #firstLife(): Promise<void> {
    let failure = 'stopped';
    for (let attempt = 1; attempt <= FIRST_START_ATTEMPTS && !this.#stopping.signal.aborted; attempt += 1) {
      if (attempt > 1) await this.#pause(FIRST_BACKOFF_MS * attempt);
      const outcome = await this.#live();
      if (outcome === undefined) return;
      failure = outcome;
    }
    this.#log.close();
    throw new Error(
      `${this.name} did not start: ${failure}\n${this.#log.tail()}\n(log: ${this.#spec.logFile})`,
    );
  }

  whenReady(): Promise<void> {
    if (this.#ready && this.pid !== undefined) return Promise.resolve();
    if (this.#stopping.signal.aborted) return Promise.reject(new Error(`${this.name} is stopped`));
    const waiter = Promise.withResolvers<void>();
    this.#waiting.add(waiter);
    return waiter.promise;
  }

  kill(signal: NodeJS.Signals): void {
    if (this.pid !== undefined) this.#life?.child.kill(signal);
  }

  async stop(deadlineMs = 5000): Promise<void> {
    const first = !this.#stopping.signal.aborted;
    this.#stopping.abort();
    const life = this.#life;
    if (life && !life.over) {
      life.child.kill(this.#spec.stopSignal ?? 'SIGTERM');
      const inTime = await Promise.race([life.ended, sleep(deadlineMs, undefined, { ref: false })]);
      if (inTime === undefined) killGroup(life.child);
      await life.ended;
    }
    await this.#watching;
    this.#log.close();
    if (first) this.#options.onChange?.({ state: 'stopped' });
    for (const waiter of this.#waiting) waiter.reject(new Error(`${this.name} is stopped`));
    this.#waiting.clear();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  /** One life from start to readiness. Undefined when it is ready, else why it is not; then it is dead. */
  async #live(): Promise<string | undefined> {
    const { spec, began } = { spec: this.#spec, began: Date.now() };
    this.#ready = false;
    this.#options.onChange?.({ state: 'starting' });
    await spec.beforeStart?.();
    if (this.#stopping.signal.aborted) return 'stopped';
    const life = this.#spawn();
    this.#life = life;
    while (Date.now() - began < (spec.readyTimeoutMs ?? 30_000)) {
      if (life.over) return life.ended;
      if (await spec.isReady()) {
        if (life.over) return life.ended;
        this.#becameReady(Date.now() - began);
        return undefined;
      }
      await sleep(25);
    }
    killGroup(life.child);
    await life.ended;
    return `not ready after ${(spec.readyTimeoutMs ?? 30_000) / 1000} s`;
  }

  #becameReady(afterMs: number): void {
    this.#ready = true;
    this.#options.onChange?.({ state: 'ready', afterMs, restarts: this.#restarts });
    for (const waiter of this.#waiting) waiter.resolve();
    this.#waiting.clear();
  }

  /** Follows life after life until told to stop. */
  async #watch(): Promise<void> {
    let backoffMs = FIRST_BACKOFF_MS;
    let reason: string | undefined;
    while (!this.#stopping.signal.aborted) {
      const since = Date.now();
      reason ??= (await this.#life?.ended) ?? 'ended';
      this.#ready = false;
      if (this.#stopping.signal.aborted || this.#options.restart === false) return;
      if (Date.now() - since > HEALTHY_AFTER_MS) backoffMs = FIRST_BACKOFF_MS;
      this.#options.onChange?.({ state: 'down', reason, retryMs: backoffMs });
      await this.#pause(backoffMs);
      backoffMs = Math.min(backoffMs * 2, LAST_BACKOFF_MS);
      this.#restarts += 1;
      reason = this.#stopping.signal.aborted ? undefined : await this.#live().catch(String);
    }
  }

  #spawn(): Life {
    const { command, args, env, cwd, account, orphanSignal } = this.#spec;
    const run = guarded(command, args, orphanSignal ?? 'SIGKILL', account);
    // Its own process group: Ctrl-C reaches only us, and we stop the parts in order.
    const child = spawn(run.command, run.args, {
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: env ?? process.env,
      ...(cwd !== undefined && { cwd }),
    });
    child.stdout.on('data', (chunk: Buffer) => this.#log.write(chunk));
    child.stderr.on('data', (chunk: Buffer) => this.#log.write(chunk));
    const ended = new Promise<string>((resolve) => {
      child.once('error', (error) => resolve(error.message));
      child.once('exit', (code, signal) =>
        resolve(signal ? `ended by ${signal}` : `exited with ${code ?? 0}`),
      );
    });
    const life: Life = { child, ended, over: false };
    ended.then(() => {
      life.over = true;
    });
    return life;
  }

  async #pause(ms: number): Promise<void> {
    await sleep(ms, undefined, { signal: this.#stopping.signal }).catch(() => undefined);
  }
}

function killGroup(child: ChildProcess): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch {
    child.kill('SIGKILL');
  }
}
