import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildConsole, generateCode } from '#standalone/generate.ts';
import { PROJECT } from '#standalone/node-process.ts';
import { freePort } from '#standalone/ports.ts';
import { openPostgres } from '#standalone/postgres.ts';
import { runTool } from './run-tool.ts';
import { checkWeight } from './weight.ts';

/** One check of the whole project. */
export interface Gate {
  readonly name: string;
  /** @throws Error with what is wrong, as the tool said it. */
  readonly run: () => Promise<void>;
}

/** Passes when the tool exits with 0. */
function tool(name: string, program: string, ...args: readonly string[]): Gate {
  return { name, run: async () => void (await runTool(program, args)) };
}

/** The tests need their outcome, so it comes first. */
export const GENERATE: Gate = { name: 'generated code', run: () => generateCode(() => undefined) };

export const GATES: readonly Gate[] = [
  tool('types', 'tsc', '-p', 'tsconfig.json', '--noEmit'),
  tool('console types', 'tsc', '-p', 'web/tsconfig.json', '--noEmit'),
  {
    name: 'console builds, light enough',
    run: async () => {
      await buildConsole(() => undefined);
      await checkWeight();
    },
  },
  tool('format and lint', 'biome', 'check', '--error-on-warnings', '--no-errors-on-unmatched', '.'),
  tool('walls between rooms', 'depcruise', '--config', '.dependency-cruiser.mjs', ...roomsToCruise(), '*.ts'),
  tool('nothing unused', 'knip', '--no-progress', '--no-config-hints'),
  tool('schema.graphql up to date', 'node', 'api/print-schema.ts', '--check'),
  tool('schema.graphql linted', 'eslint', '--max-warnings', '0', 'schema.graphql'),
  { name: 'migrations match schema.prisma', run: checkDrift },
];

function roomsToCruise(): string[] {
  return ['api', 'core', 'workers', 'standalone', 'simulator', 'prisma', 'tests', 'bench', 'web/src'];
}

/** Applies the migrations to a database of their own and compares the outcome with the models. */
async function checkDrift(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'fleetgraph-drift-'));
  const server = await openPostgres({
    dataDir: join(folder, 'postgres'),
    port: await freePort(),
    password: 'drift',
    durable: false,
    restart: false,
    logFile: join(folder, 'postgres.log'),
  });
  try {
    const args = [
      'migrate',
      'diff',
      '--from-migrations',
      'prisma/migrations',
      '--to-schema',
      'prisma/schema.prisma',
    ];
    const output = await runTool('prisma', [...args, '--exit-code'], {
      DATABASE_URL: server.url(),
      PRISMA_SCHEMA_ENGINE_BINARY: join(PROJECT, 'prisma', 'tools', 'schema-engine.mjs'),
    });
    // A schema engine that fails to answer also exits with 0.
    if (!output.includes('No difference detected')) throw new Error(`no verdict from prisma:\n${output}`);
  } finally {
    await server.destroy();
    rmSync(folder, { recursive: true, force: true });
  }
}
