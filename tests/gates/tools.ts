import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { basename, delimiter, join } from 'node:path';
import { cacheFolder } from '#standalone/cache-folder.ts';
import { unpackDebianPackages } from '#standalone/debian-package.ts';
import { findProgram } from '#standalone/guard.ts';
import { findNatsProgram } from '#standalone/nats-program.ts';
import { childEnvironment } from '#standalone/node-process.ts';

/** Programs of one Debian source that run unpacked, and the libraries beside them that a small machine lacks. */
interface Unpacked {
  readonly name: string;
  readonly programs: readonly string[];
  readonly packages: readonly string[];
}
const UNPACKED: readonly Unpacked[] = [
  {
    name: 'mosquitto',
    programs: ['usr/sbin/mosquitto', 'usr/bin/mosquitto_pub', 'usr/bin/mosquitto_sub'],
    packages: ['mosquitto', 'mosquitto-clients', 'libmosquitto1', 'libcjson1', 'libdlt2', 'libwrap0'],
  },
  {
    name: 'paho-c',
    programs: ['usr/bin/paho_c_pub', 'usr/bin/paho_c_sub', 'usr/bin/paho_cs_pub', 'usr/bin/paho_cs_sub'],
    packages: ['paho.mqtt.c-examples', 'libpaho-mqtt1.3'],
  },
];
/** A module of Python alone, which any Python 3 runs. */
const PYTHON_PACKAGE = 'python3-paho-mqtt';
const PYTHON_FOLDER = 'usr/lib/python3/dist-packages';
const BROWSER_PACKAGES = ['chromium', 'fonts-liberation'];

/**
 * Makes sure that the programs the tests drive are there, fetching what is missing, and returns the environment that
 * finds them. `onFetch` is told before each download.
 * @throws Error saying what to install by hand.
 */
export async function installTools(onFetch: (what: string) => void): Promise<Record<string, string>> {
  const nats = await findNatsProgram(onFetch);
  const path = await installMosquitto(onFetch);
  return {
    NATS_SERVER_BIN: nats.path,
    PATH: path,
    CHROMIUM_BIN: findBrowser(onFetch),
    ...(await pythonClient(onFetch)),
  };
}

/** Makes sure that there is a mosquitto and returns the PATH that finds it. @throws Error saying what to install by hand */
export async function installMosquitto(onFetch: (what: string) => void): Promise<string> {
  const path = [childEnvironment()['PATH'] ?? ''];
  for (const wanted of UNPACKED) path.unshift(...(await unpackedPrograms(wanted, onFetch)));
  return path.join(delimiter);
}

/** Where Python finds the client we fetched; nothing when it has one itself. */
async function pythonClient(onFetch: (what: string) => void): Promise<Record<string, string>> {
  const advice = `the tests need ${PYTHON_PACKAGE}: apt-get install ${PYTHON_PACKAGE}`;
  const works = (env: Record<string, string>) =>
    spawnSync('python3', ['-c', 'import paho.mqtt.client, paho.mqtt.properties'], {
      env: { ...process.env, ...env },
    }).status === 0;
  if (works({})) return {};
  const root = join(cacheFolder('paho-python'), 'native');
  const found = { PYTHONPATH: join(root, PYTHON_FOLDER) };
  if (!existsSync(found.PYTHONPATH)) {
    onFetch(`${PYTHON_PACKAGE} from Debian`);
    await unpackDebianPackages([PYTHON_PACKAGE], 'native', root).catch((cause: unknown) => {
      throw new Error(advice, { cause });
    });
  }
  if (!works(found)) throw new Error(advice);
  return found;
}

/** The folder of the programs we fetched; none when the machine has them all itself. */
async function unpackedPrograms(wanted: Unpacked, onFetch: (what: string) => void): Promise<string[]> {
  const { name, programs, packages } = wanted;
  if (programs.every((program) => findProgram(basename(program)))) return [];
  const root = join(cacheFolder(name), 'native');
  if (!programs.every((program) => existsSync(join(root, program)))) {
    onFetch(`${name} from Debian`);
    await unpackDebianPackages(packages, 'native', root).catch((cause: unknown) => {
      throw new Error(`the tests need ${name}: apt-get install ${packages.join(' ')}`, { cause });
    });
  }
  const folder = join(root, 'run');
  mkdirSync(folder, { recursive: true });
  for (const program of programs) {
    const wrapper = join(folder, basename(program));
    const libraries = `$(echo ${root}/usr/lib/*-linux-*)`;
    writeFileSync(wrapper, `#!/bin/sh\nLD_LIBRARY_PATH=${libraries} exec ${join(root, program)} "$@"\n`);
    chmodSync(wrapper, 0o755);
    const { error, status, stderr } = spawnSync(wrapper, ['--help'], { encoding: 'utf8' });
    if (error || status === 127 || stderr.includes('error while loading shared libraries')) {
      throw new Error(
        `${program} fetched to ${root} does not run here: apt-get install ${packages.join(' ')}`,
      );
    }
  }
  return [folder];
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
