import { readFileSync, writeFileSync } from 'node:fs';
import { printedSchema } from './graphql/schema.ts';

/** Writes schema.graphql; with `--check` only says whether it is up to date, by its exit code. */
const file = new URL('../schema.graphql', import.meta.url);
const printed = printedSchema();

if (!process.argv.includes('--check')) {
  writeFileSync(file, printed);
} else if (readFileSync(file, 'utf8') !== printed) {
  console.error('schema.graphql is not what the code says; run: node api/print-schema.ts');
  process.exitCode = 1;
}
