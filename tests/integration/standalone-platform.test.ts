import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { signIn } from '#standalone/identity/sign-in-client.ts';
import { isRunning } from '#standalone/leftovers.ts';
import { childEnvironment, PROJECT } from '#standalone/node-process.ts';
import { freePort } from '#standalone/ports.ts';
import type { ReadyFile } from '#standalone/ready-file.ts';
import { withClient } from '#standalone/roles.ts';
import { findProcesses } from '#tests/gates/leftovers.ts';
import { ask } from '#tests/kit/graphql.ts';
import { until } from '#tests/kit/wait.ts';

const MARK = 'FLEETGRAPH_PLATFORM_TEST';

let folder: string;
let ports: { http: number; mqtt: number; mqtts: number; mqttWs: number };
let running: Running | undefined;

interface SimulatedDevice {
  readonly id: string;
  readonly shadow: { readonly status: string; readonly desiredVersion: number; readonly reported: object };
  readonly commands: { readonly nodes: readonly { readonly type: string; readonly status: string }[] };
}

interface Running {
  readonly child: ChildProcess;
  readonly ready: ReadyFile;
  output(): string;
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'fleetgraph-platform-'));
  chmodSync(folder, 0o755);
  const [http, mqtt, mqtts, mqttWs] = [
    await freePort(),
    await freePort(),
    await freePort(),
    await freePort(),
  ];
  ports = { http, mqtt, mqtts, mqttWs };
});

afterAll(async () => {
  if (running) await stop(running);
  rmSync(folder, { recursive: true, force: true });
});

const readyFile = () => join(folder, 'standalone.json');

function launch(...flags: string[]): { child: ChildProcess; output(): string } {
  const flagsAll = [
    '--data',
    folder,
    '--http',
    `${ports.http}`,
    '--mqtt',
    `${ports.mqtt}`,
    '--mqtts',
    `${ports.mqtts}`,
    '--mqtt-ws',
    `${ports.mqttWs}`,
    '--no-build',
    ...flags,
  ];
  const child = spawn(process.execPath, ['standalone/bootstrap.mjs', 'start', ...flagsAll], {
    cwd: PROJECT,
    env: { ...childEnvironment(), [MARK]: folder },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (chunk: Buffer) => {
      output += chunk.toString();
    });
  }
  return { child, output: () => output };
}

async function start(...flags: string[]): Promise<Running> {
  rmSync(readyFile(), { force: true });
  const { child, output } = launch(...flags);
  await until(
    'the ready file',
    () => {
      if (child.exitCode !== null) throw new Error(output());
      return existsSync(readyFile());
    },
    120_000,
  );
  return { child, output, ready: JSON.parse(readFileSync(readyFile(), 'utf8')) };
}

/** Resolves to the exit code. */
async function stop({ child }: Running): Promise<number | null> {
  if (child.exitCode !== null) return child.exitCode;
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
  child.kill('SIGINT');
  return ended;
}

/** Our main.ts, its pid taken from the lock it holds. */
const mainPid = () => Number(readFileSync(join(folder, 'lock'), 'utf8').split(' ')[0]);

test('an empty platform is ready with people to sign in as, a key to ask with, and no device', async () => {
  running = await start('--empty');
  const { ready } = running;
  expect(statSync(readyFile()).mode & 0o777).toBe(0o600);
  expect(Object.keys(ready)).toEqual([
    ...[
      'http',
      'graphql',
      'graphqlWs',
      'mqtt',
      'mqtts',
      'mqttWs',
      'caFile',
      'nats',
      'database',
      'oidcIssuer',
      'users',
      'apiKey',
      'device',
    ],
  ]);
  expect(ready).toMatchObject({
    http: `http://127.0.0.1:${ports.http}`,
    graphqlWs: `ws://127.0.0.1:${ports.http}/graphql`,
    mqtt: `mqtt://127.0.0.1:${ports.mqtt}`,
    mqtts: `mqtts://127.0.0.1:${ports.mqtts}`,
    mqttWs: `ws://127.0.0.1:${ports.mqttWs}/mqtt`,
    device: null,
  });
  const trusting = connectTls({ port: ports.mqtts, host: '127.0.0.1', ca: readFileSync(ready.caFile) });
  await once(trusting, 'secureConnect');
  trusting.destroy();
  expect(ready.users.map((user) => user.role)).toEqual(['ADMIN', 'ENGINEER', 'VIEWER', 'PLATFORM_OPERATOR']);
  for (const { email, password, role } of ready.users) {
    const { accessToken } = await signIn({
      ...{ issuer: ready.oidcIssuer, consoleOrigin: ready.http, email, password },
    });
    if (role !== 'PLATFORM_OPERATOR') continue;
    const seen = await fetch(ready.graphql, {
      method: 'POST',
      headers: { authorization: `Bearer ${accessToken}`, 'content-type': 'application/json' },
      body: JSON.stringify({
        query:
          '{ operator(reason: "the platform is tested") { tenants { nodes { slug } } durability { fsync } } }',
      }),
    });
    expect(await seen.json()).toMatchObject({
      data: {
        operator: {
          tenants: { nodes: [{ slug: 'acme' }, { slug: 'platform' }] },
          durability: { fsync: true },
        },
      },
    });
  }
  const answer = await fetch(ready.graphql, {
    method: 'POST',
    headers: { authorization: `Bearer ${ready.apiKey}`, 'content-type': 'application/json' },
    body: JSON.stringify({ query: '{ viewer { __typename } devices(first: 1) { totalCount } }' }),
  });
  expect(await answer.json()).toMatchObject({ data: { devices: { totalCount: 0 } } });
});

test('a second platform on the same folder is refused, and so is a port that is taken', async () => {
  const second = launch();
  await new Promise((resolve) => second.child.once('exit', resolve));
  expect(second.child.exitCode).toBe(1);
  expect(second.output()).toMatch(/already running on .* \(process \d+\)/);

  const holder = createServer();
  await new Promise<void>((resolve) => holder.listen(0, '127.0.0.1', resolve));
  const address = holder.address();
  const taken = typeof address === 'object' && address ? address.port : 0;
  const elsewhere = mkdtempSync(join(tmpdir(), 'fleetgraph-platform-'));
  const third = launch('--data', elsewhere, '--http', String(taken));
  await new Promise((resolve) => third.child.once('exit', resolve));
  holder.close();
  rmSync(elsewhere, { recursive: true, force: true });
  expect(third.child.exitCode).toBe(1);
  expect(third.output()).toMatch(new RegExp(`port ${taken} is taken.*--http`));
});

test('kill -9 of the parent leaves no orphan, and the next start continues with the same data', async () => {
  const before = running?.ready;
  const pids = findProcesses(MARK, folder);
  expect(pids.length).toBeGreaterThan(8);
  const bootstrap = running?.child;
  const ended = new Promise((resolve) => bootstrap?.once('exit', resolve));
  process.kill(mainPid(), 'SIGKILL');
  await ended;
  await until('every process to be gone', () => !pids.some(isRunning));

  running = await start();
  expect(running.ready).toMatchObject({
    users: before?.users,
    apiKey: before?.apiKey,
    database: before?.database,
  });
  expect(running.ready.device).toMatchObject({
    tenant: 'acme',
    key: 'first-device',
    username: 'acme/first-device',
  });
  const { rows } = await withClient(running.ready.database, (client) =>
    client.query(
      'select (select count(*)::int from devices) devices, (select count(*)::int from sites) sites',
    ),
  );
  expect(rows).toEqual([{ devices: 11, sites: 2 }]);
});

test('the simulated devices’ messages arrive as readings', async () => {
  const url = running?.ready.database ?? '';
  await until('a reading of each of the ten', async () => {
    const { rows } = await withClient(url, (client) =>
      client.query('select count(distinct device_id)::int as devices from readings'),
    );
    return rows[0].devices === 10;
  });
});

test('the simulated devices do commands, and sample as often as their shadows say', async () => {
  const { graphql = '', apiKey = '' } = running?.ready ?? {};
  const look = () =>
    ask<{ device: SimulatedDevice }>(
      graphql,
      apiKey,
      `{ device(by: { key: "loco-01" }) { id shadow { status desiredVersion reported }
        commands(first: 1) { nodes { type status } } } }`,
      {},
    ).then(({ device }) => device);
  const { id, shadow } = await until('its first report', async () => {
    const device = await look();
    return device.shadow.status === 'IN_SYNC' && device;
  });
  expect(shadow).toMatchObject({ desiredVersion: 0, reported: { sample_interval_ms: 2_000 } });
  await ask(
    graphql,
    apiKey,
    `mutation ($id: ID!) {
      shadowUpdate(input: { deviceId: $id, desired: { sample_interval_ms: 400 }, expectedVersion: 0 }) { __typename }
      commandSend(input: { deviceId: $id, type: "blink", params: {} }) { __typename }
    }`,
    { id },
  );
  const { shadow: after, commands } = await until('both answers', async () => {
    const device = await look();
    return (
      device.shadow.desiredVersion === 1 &&
      device.shadow.status !== 'PENDING' &&
      device.commands.nodes[0]?.status === 'SUCCEEDED' &&
      device
    );
  });
  expect(after).toMatchObject({ status: 'IN_SYNC', reported: { sample_interval_ms: 400 } });
  expect(commands.nodes).toEqual([{ type: 'blink', status: 'SUCCEEDED' }]);
});

test('Ctrl-C stops everything within five seconds', async () => {
  if (!running) throw new Error('not running');
  const pids = findProcesses(MARK, folder);
  const began = Date.now();
  expect(await stop(running)).toBe(0);
  // On a busy machine some more.
  expect(Date.now() - began).toBeLessThan(20_000);
  expect(pids.filter(isRunning)).toEqual([]);
  expect(existsSync(readyFile())).toBe(false);
  running = undefined;
});
