import { spawn } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { guarded } from '#standalone/guard.ts';
import { childEnvironment, PROJECT } from '#standalone/node-process.ts';

export type TestProject = 'unit' | 'integration' | 'e2e';

export interface Counts {
  readonly passed: number;
  readonly failed: number;
}

const report = z.object({
  numPassedTests: z.number(),
  numFailedTests: z.number(),
  testResults: z.array(z.object({ status: z.string(), assertionResults: z.array(z.unknown()) })),
});

/**
 * Runs the tests of one project, showing vitest's own output, and counts them. A file that could not be loaded, and a
 * run that fails without a failed test (something left running, an unhandled rejection), count as one failure.
 */
export async function runVitest(
  project: TestProject,
  filters: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<Counts> {
  const reportFile = join(tmpdir(), `fleetgraph-vitest-${process.pid}-${project}.json`);
  const args = [
    'run',
    '--project',
    project,
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${reportFile}`,
  ];
  const line = guarded(
    join(PROJECT, 'node_modules', '.bin', 'vitest'),
    [...args, '--passWithNoTests', ...filters],
    'SIGTERM',
  );
  const child = spawn(line.command, line.args, {
    cwd: PROJECT,
    stdio: ['ignore', 'inherit', 'inherit'],
    env: { ...childEnvironment(), ...env },
  });
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  const counts = readCounts(reportFile);
  rmSync(reportFile, { force: true });
  return code !== 0 && counts.failed === 0 ? { ...counts, failed: 1 } : counts;
}

function readCounts(path: string): Counts {
  if (!existsSync(path)) return { passed: 0, failed: 0 };
  const { numPassedTests, numFailedTests, testResults } = report.parse(
    JSON.parse(readFileSync(path, 'utf8')),
  );
  const unloaded = testResults.filter(
    (file) => file.status === 'failed' && file.assertionResults.length === 0,
  );
  return { passed: numPassedTests, failed: numFailedTests + unloaded.length };
}
