import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { guarded } from '#standalone/guard.ts';
import { childEnvironment, PROJECT } from '#standalone/node-process.ts';
import { freePort } from '#standalone/ports.ts';
import type { ReadyFile } from '#standalone/ready-file.ts';
import { until } from './wait.ts';

/** The whole platform as `npm start` runs it. */
export interface RunningPlatform extends AsyncDisposable {
  readonly ready: ReadyFile;
  readonly dataDir: string;
  /** What it printed so far. */
  output(): string;
}

/** Starts everything in a fresh folder on free ports and waits until it says that it is ready. */
export async function startPlatform(flags: readonly string[] = []): Promise<RunningPlatform> {
  const dataDir = mkdtempSync(join(tmpdir(), 'fleetgraph-platform-'));
  const main = join(PROJECT, 'standalone', 'main.ts');
  const ports = [
    ...['--http', String(await freePort()), '--mqtt', String(await freePort())],
    ...['--mqtts', String(await freePort()), '--mqtt-ws', String(await freePort())],
  ];
  const line = guarded(process.execPath, [main, '--data', dataDir, ...ports, ...flags], 'SIGTERM');
  const child = spawn(line.command, line.args, {
    cwd: PROJECT,
    env: childEnvironment(),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      output += chunk.toString();
    });
  }
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const stop = async () => {
    child.kill('SIGINT');
    await ended;
    rmSync(dataDir, { recursive: true, force: true });
  };
  try {
    const ready = await until(
      'the platform to be ready',
      () => {
        if (child.exitCode !== null) throw new Error(`it ended:\n${output}`);
        return JSON.parse(readFileSync(join(dataDir, 'standalone.json'), 'utf8')) as ReadyFile;
      },
      180_000,
    );
    return { ready, dataDir, output: () => output, [Symbol.asyncDispose]: stop };
  } catch (error) {
    await stop();
    throw new Error(`the platform did not start:\n${output}`, { cause: error });
  }
}
