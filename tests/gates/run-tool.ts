import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { guarded } from '#standalone/guard.ts';
import { childEnvironment, PROJECT } from '#standalone/node-process.ts';

const TIMEOUT_MS = 10 * 60_000;

/**
 * Runs one of the project's tools in the project's folder and returns everything it printed.
 * @throws Error with that text when it does not exit with 0 within 10 minutes.
 */
export async function runTool(
  program: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<string> {
  const installed = join(PROJECT, 'node_modules', '.bin', program);
  const line = guarded(existsSync(installed) ? installed : program, args, 'SIGKILL');
  const child = spawn(line.command, line.args, {
    cwd: PROJECT,
    env: { ...childEnvironment(), NO_COLOR: '1', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: TIMEOUT_MS,
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      output += chunk.toString();
    });
  }
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  if (code !== 0) throw new Error(output.trim() || `${program} exited with ${code}`);
  return output;
}
