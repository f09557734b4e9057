import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { cacheFolder } from '#standalone/cache-folder.ts';
import { unpackDebianPackages } from '#standalone/debian-package.ts';
import { findProgram } from '#standalone/guard.ts';
import { findNatsProgram } from '#standalone/nats-program.ts';
import { childEnvironment } from '#standalone/node-process.ts';

const MOSQUITTO = ['mosquitto_pub', 'mosquitto_sub'] as const;
const MOSQUITTO_PACKAGES = ['mosquitto-clients', 'libmosquitto1', 'libcjson1'];
const BROWSER_PACKAGES = ['chromium', 'fonts-liberation'];

/**
 * Makes sure that the programs the tests drive are there, fetching what is missing, and returns the environment that
 * finds them. `onFetch` is told before each download.
 * @throws Error saying what to install by hand.
 */
export async function installTools(onFetch: (what: string) => void): Promise<Record<string, string>> {
  const nats = await findNatsProgram(onFetch);
  const mosquitto = await mosquittoFolder(onFetch);
  const path = [...(mosquitto === undefined ? [] : [mosquitto]), childEnvironment()['PATH'] ?? ''].join(
    delimiter,
  );
  return { NATS_SERVER_BIN: nats.path, PATH: path, CHROMIUM_BIN: findBrowser(onFetch) };
}

/** The folder of the clients we fetched; undefined when the machine has its own. */
async function mosquittoFolder(onFetch: (what: string) => void): Promise<string | undefined> {
  if (MOSQUITTO.every((name) => findProgram(name))) return undefined;
  const root = join(cacheFolder('mosquitto-clients'), 'native');
  if (!existsSync(join(root, 'usr', 'bin', MOSQUITTO[0]))) {
    onFetch('mosquitto-clients from Debian');
    await unpackDebianPackages(MOSQUITTO_PACKAGES, 'native', root).catch((cause: unknown) => {
      throw new Error('the tests need mosquitto-clients: apt-get install mosquitto-clients', { cause });
    });
  }
  const folder = join(root, 'run');
  mkdirSync(folder, { recursive: true });
  for (const name of MOSQUITTO) {
    const wrapper = join(folder, name);
    writeFileSync(
      wrapper,
      `#!/bin/sh\nLD_LIBRARY_PATH=$(echo ${root}/usr/lib/*-linux-*) exec ${root}/usr/bin/${name} "$@"\n`,
    );
    chmodSync(wrapper, 0o755);
  }
  const works = spawnSync(join(folder, MOSQUITTO[0]), ['--help'], { encoding: 'utf8' });
  if (works.error || !works.stdout.includes('mosquitto_pub')) {
    throw new Error(
      `the mosquitto-clients fetched to ${root} do not run here: apt-get install mosquitto-clients`,
    );
  }
  return folder;
}

/** A browser needs a hundred libraries, so it is installed properly or not at all. */
function findBrowser(onFetch: (what: string) => void): string {
  const found = process.env['CHROMIUM_BIN'] ?? findProgram('chromium');
  if (found) return found;
  const advice = `the tests need a browser: apt-get install ${BROWSER_PACKAGES.join(' ')}, or set CHROMIUM_BIN`;
  if (process.getuid?.() !== 0 || !findProgram('apt-get')) throw new Error(advice);
  onFetch('chromium from Debian');
  const options = { stdio: 'pipe', env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } } as const;
  try {
    execFileSync('apt-get', ['-q', 'update'], options);
    execFileSync('apt-get', ['-q', '-y', '--no-install-recommends', 'install', ...BROWSER_PACKAGES], options);
  } catch (cause) {
    throw new Error(advice, { cause });
  }
  return findProgram('chromium') ?? '/usr/bin/chromium';
}
