import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openPool, untilDatabaseAnswers } from '#core/db/pool.ts';
import { freePort } from '#standalone/ports.ts';
import { openTestDatabase, type TestDatabase } from '#tests/kit/database.ts';
import { quiet } from '#tests/kit/nats.ts';

const opened = new AsyncDisposableStack();
let database: TestDatabase;

beforeAll(async () => {
  database = opened.use(await openTestDatabase());
});
afterAll(() => opened.disposeAsync());

const poolAt = (change: (url: URL) => void) => {
  const url = new URL(database.workerUrl);
  change(url);
  const pool = openPool({ url: url.href, name: 'away', max: 1, log: quiet });
  opened.defer(() => pool.end());
  return pool;
};

it('who starts while the database is away waits for it', async () => {
  const port = await freePort();
  let answered = false;
  const waiting = untilDatabaseAnswers(
    poolAt((url) => {
      url.port = String(port);
    }),
    quiet,
  ).then(() => {
    answered = true;
  });
  await sleep(600);
  expect(answered).toBe(false);
  const { hostname, port: real } = new URL(database.workerUrl);
  const door = createServer((socket) => {
    const server = connect(Number(real), hostname);
    for (const [from, to] of [
      [socket, server],
      [server, socket],
    ] as const) {
      from.on('error', () => to.destroy());
      from.pipe(to);
    }
  }).listen(port, '127.0.0.1');
  await once(door, 'listening');
  opened.defer(() => void door.close());
  await waiting;
});

it('who is refused by the database is told so at once', async () => {
  const wrong = poolAt((url) => {
    url.password = 'not this one';
  });
  await expect(untilDatabaseAnswers(wrong, quiet)).rejects.toMatchObject({ code: '28P01' });
});
