import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { PROJECT } from '#standalone/node-process.ts';

const MAX_KIB = 200;

/**
 * Adds up the scripts that the built console's first page names: its entry and whatever that imports before it runs.
 * @throws Error with the largest of them when they weigh more than 200 KiB gzipped, as web/README.md promises
 */
export async function checkWeight(): Promise<void> {
  const folder = join(PROJECT, 'web', 'dist');
  const page = readFileSync(join(folder, 'index.html'), 'utf8');
  const scripts = [...page.matchAll(/(?:src|href)="(\/[^"]+\.js)"/g)]
    .map(([, path = '']) => ({ path, bytes: gzipSync(readFileSync(join(folder, path))).length }))
    .sort((one, other) => other.bytes - one.bytes);
  const kib = scripts.reduce((sum, { bytes }) => sum + bytes, 0) / 1024;
  if (scripts.length > 1 && kib <= MAX_KIB) return;
  const list = scripts.slice(0, 8).map(({ path, bytes }) => `  ${(bytes / 1024).toFixed(1)} KiB ${path}`);
  throw new Error(
    `the first page loads ${kib.toFixed(1)} KiB of gzipped script, of ${MAX_KIB} allowed; load later what it does not show:\n${list.join('\n')}`,
  );
}
