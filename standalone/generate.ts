import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { guarded } from './guard.ts';
import { childEnvironment, PROJECT } from './node-process.ts';

const STAMPS = join(PROJECT, '.cache', 'generated.json');
/** Never an input: what the steps themselves write, and what npm did. */
const NOT_READ = new Set(['node_modules', 'generated', 'dist', '.cache']);

interface Step {
  readonly name: string;
  /** Files and folders that decide the outcome. */
  readonly inputs: readonly string[];
  /** Missing means stale. */
  readonly outputs: readonly string[];
  readonly command: readonly string[];
}

const PRISMA: Step = {
  name: 'database client',
  inputs: ['prisma/schema.prisma', 'prisma.config.ts', 'package-lock.json'],
  outputs: ['api/generated/prisma/client.ts'],
  command: ['prisma', 'generate'],
};
const DOCUMENTS: Step = {
  name: 'console documents',
  inputs: ['schema.graphql', 'codegen.ts', 'web/src', 'package-lock.json'],
  outputs: ['web/src/generated/graphql.ts'],
  command: ['graphql-codegen', '--config', 'codegen.ts'],
};
const CONSOLE: Step = {
  name: 'console',
  inputs: ['schema.graphql', 'codegen.ts', 'web', 'package-lock.json'],
  outputs: ['web/dist/index.html'],
  command: ['vite', 'build', '--config', 'web/vite.config.ts', '--logLevel', 'warn'],
};

/** Generates the code that the servers and the console's sources need, where their inputs changed since. */
export async function generateCode(onStep: (name: string) => void, signal?: AbortSignal): Promise<void> {
  await runStale(PRISMA, onStep, signal);
  await runStale(DOCUMENTS, onStep, signal);
}

/** Builds the console into web/dist, when its inputs changed since. */
export async function buildConsole(onStep: (name: string) => void, signal?: AbortSignal): Promise<void> {
  await runStale(DOCUMENTS, onStep, signal);
  await runStale(CONSOLE, onStep, signal);
}

async function runStale(
  step: Step,
  onStep: (name: string) => void,
  signal: AbortSignal | undefined,
): Promise<void> {
  const wanted = hashOf(step.inputs);
  const present = step.outputs.every((path) => existsSync(join(PROJECT, path)));
  if (present && readStamps()[step.name] === wanted) return;
  onStep(step.name);
  await run(step, signal);
  mkdirSync(dirname(STAMPS), { recursive: true });
  writeFileSync(
    `${STAMPS}.${process.pid}`,
    JSON.stringify({ ...readStamps(), [step.name]: wanted }, undefined, 2),
  );
  renameSync(`${STAMPS}.${process.pid}`, STAMPS);
}

/** @throws Error with everything the tool printed. */
async function run(
  { name, command: [tool = '', ...args] }: Step,
  signal: AbortSignal | undefined,
): Promise<void> {
  const line = guarded(join(PROJECT, 'node_modules', '.bin', tool), args, 'SIGKILL');
  const child = spawn(line.command, line.args, {
    cwd: PROJECT,
    detached: true,
    ...(signal && { signal }),
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      ...childEnvironment(),
      NO_COLOR: '1',
      PRISMA_SCHEMA_ENGINE_BINARY: join(PROJECT, 'prisma', 'tools', 'schema-engine.mjs'),
      PRISMA_HIDE_UPDATE_MESSAGE: '1',
      CHECKPOINT_DISABLE: '1',
    },
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
  if (code !== 0)
    throw new Error(`generating the ${name} failed (${tool} ${args.join(' ')}):\n${output.trim()}`);
}

function readStamps(): Record<string, string> {
  return existsSync(STAMPS) ? JSON.parse(readFileSync(STAMPS, 'utf8')) : {};
}

function hashOf(paths: readonly string[]): string {
  const hash = createHash('sha256');
  for (const path of paths.flatMap((input) => filesBelow(input)).sort()) {
    hash
      .update(`${path}\0`)
      .update(readFileSync(join(PROJECT, path)))
      .update('\0');
  }
  return hash.digest('hex');
}

function filesBelow(path: string): string[] {
  const whole = join(PROJECT, path);
  if (!existsSync(whole)) return [];
  if (!statSync(whole).isDirectory()) return [path];
  return readdirSync(whole)
    .filter((name) => !NOT_READ.has(name))
    .flatMap((name) => filesBelow(join(path, name)));
}
