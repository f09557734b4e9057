import { mkdirSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { errorMessage } from '#core/runtime/errors.ts';
import { readStandaloneConfig, type StandaloneConfig, USAGE, UsageError } from './config.ts';
import { takeInstanceLock } from './instance-lock.ts';
import { startPlatform } from './platform.ts';
import { choosePorts } from './platform-ports.ts';
import { removeReadyFile, writeReadyFile } from './ready-file.ts';
import { createStatusLines } from './status.ts';
import { stopPlatform } from './stop-platform.ts';
import type { SupervisedProcess } from './supervise.ts';
import { describePlatform, welcomeText } from './welcome.ts';

/** A key press reaches us more than once: from the terminal, and handed on by npm and the bootstrap. */
const SAME_KEY_PRESS_MS = 1000;
const GIVE_UP_MS = 1500;

/** Runs until a signal; resolves to the exit code. */
async function run(config: StandaloneConfig): Promise<number> {
  const began = Date.now();
  const out = process.stdout;
  mkdirSync(config.dataDir, { recursive: true, mode: 0o755 });
  using _lock = takeInstanceLock(config.dataDir);
  removeReadyFile(config.dataDir);
  const status = createStatusLines(out);
  const started: SupervisedProcess[] = [];
  const stopping = listenForStop();
  try {
    const ports = await choosePorts(config, (wanted, given) =>
      status.note(`port ${wanted} is taken by another program: using ${given}`),
    );
    const start = startPlatform({ config, ports, status, started, signal: stopping });
    const platform = await Promise.race([start, abandonment(stopping)]);
    const ready = describePlatform(platform);
    writeReadyFile(config.dataDir, ready);
    status.settle();
    out.write(welcomeText(ready, config, Date.now() - began));
    await new Promise((resolve) => stopping.addEventListener('abort', resolve, { once: true }));
    return 0;
  } catch (error) {
    if (stopping.aborted) return 0;
    status.settle();
    process.stderr.write(`\n${errorMessage(error)}\n`);
    return 1;
  } finally {
    removeReadyFile(config.dataDir);
    status.settle();
    if (stopping.aborted) out.write('\n  Stopping …\n');
    await stopPlatform(started);
  }
}

/** Rejects some time after the abort, for a start that waits on something it cannot break off. */
async function abandonment(stopping: AbortSignal): Promise<never> {
  await new Promise((resolve) => stopping.addEventListener('abort', resolve, { once: true }));
  await sleep(GIVE_UP_MS);
  throw new Error('the start was given up');
}

/** Aborted by the first signal; a later one, which is no echo of it, ends us at once and the kernel ends the rest. */
function listenForStop(): AbortSignal {
  const stop = new AbortController();
  let first = 0;
  const onSignal = () => {
    if (stop.signal.aborted && Date.now() - first > SAME_KEY_PRESS_MS) process.exit(1);
    if (!stop.signal.aborted) first = Date.now();
    stop.abort();
  };
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, onSignal);
  return stop.signal;
}

try {
  const config = readStandaloneConfig(process.argv.slice(2), process.env);
  if (config) process.exit(await run(config));
  process.stdout.write(USAGE);
} catch (error) {
  process.stderr.write(`${errorMessage(error)}\n`);
  process.exitCode = error instanceof UsageError ? 2 : 1;
}
