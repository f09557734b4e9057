import { createServer } from 'node:http';
import { expect, it } from 'vitest';
import { type WebSocket, WebSocketServer } from 'ws';
import { createLiveClient, type LiveClient } from './live-client.ts';

const query = 'subscription Ticks($after: String) { ticks(after: $after) { __typename cursor } }';

type Message = {
  readonly type: string;
  readonly id?: string;
  readonly payload?: { readonly authorization?: string; readonly variables?: { readonly after?: string } };
};

function parseMessage(data: unknown): Message {
  return JSON.parse(String(data));
}

/**
 * A server of the graphql-transport-ws protocol with one stream: cursors 1, 2, 3 … It resumes behind `after`, says
 * StreamGap where it has forgotten, and records the tokens it was shown.
 */
async function startTicker() {
  let newest = 0;
  let oldest = 1;
  let refusing = false;
  const tokens: string[] = [];
  const streams = new Set<() => void>();

  const follow = (socket: WebSocket, id: string, after: string | undefined) => {
    let seen = after === undefined ? newest : Number(after);
    const send = (event: object) =>
      socket.send(JSON.stringify({ id, type: 'next', payload: { data: { ticks: event } } }));
    const flush = () => {
      if (seen + 1 < oldest) {
        send({
          __typename: 'StreamGap',
          cursor: String(oldest - 1),
          missed: oldest - 1 - seen,
          reason: 'RETENTION',
        });
        seen = oldest - 1;
      }
      while (seen < newest) send({ __typename: 'Tick', cursor: String(++seen) });
    };
    streams.add(flush);
    socket.once('close', () => streams.delete(flush));
    flush();
  };
  const answer = (socket: WebSocket, { type, id = '', payload }: Message) => {
    if (type === 'connection_init') {
      tokens.push(payload?.authorization ?? '');
      socket.send(JSON.stringify({ type: 'connection_ack' }));
    }
    if (type === 'ping') socket.send(JSON.stringify({ type: 'pong' }));
    if (type !== 'subscribe') return;
    const after = payload?.variables?.after;
    if (refusing && after !== undefined) {
      socket.send(
        JSON.stringify({ id, type: 'error', payload: [{ message: 'This cursor is not valid here.' }] }),
      );
    } else {
      follow(socket, id, after);
    }
  };

  const http = createServer();
  const sockets = new WebSocketServer({ server: http, handleProtocols: () => 'graphql-transport-ws' });
  sockets.on('connection', (socket) => socket.on('message', (data) => answer(socket, parseMessage(data))));
  await new Promise<void>((listening) => http.listen(0, '127.0.0.1', listening));
  const address = http.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  return {
    url: `ws://127.0.0.1:${port}`,
    tokens,
    newest: () => newest,
    tick(count = 1) {
      newest += count;
      for (const flush of streams) flush();
    },
    forgetBefore(cursor: number) {
      oldest = cursor;
    },
    refuseCursors() {
      refusing = true;
    },
    dropAll(code: number) {
      for (const socket of sockets.clients) socket.close(code, 'test');
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets.clients) socket.terminate();
      sockets.close();
      await new Promise((closed) => http.close(closed));
    },
  };
}

function follow(live: LiveClient) {
  const seen: string[] = [];
  const waiters = new Set<() => void>();
  const stop = live.subscribe(
    { query, variables: {} },
    {
      next({ data }) {
        const event: unknown = data?.['ticks'];
        if (typeof event === 'object' && event !== null && 'cursor' in event) seen.push(String(event.cursor));
        for (const check of waiters) check();
      },
      error: (error) => seen.push(error.message),
    },
  );
  const until = (condition: () => boolean) =>
    new Promise<void>((resolve) => {
      const check = () => {
        if (!condition()) return;
        waiters.delete(check);
        resolve();
      };
      waiters.add(check);
      live.onState(check);
      check();
    });
  return { seen, stop, until };
}

it('sees every event exactly once across broken sockets, and says that none was missed', async () => {
  await using server = await startTicker();
  const live = createLiveClient({
    url: server.url,
    accessToken: async () => 'a',
    refreshToken: async () => undefined,
  });
  const { seen, stop, until } = follow(live);
  await until(() => live.state().phase === 'connected');
  while (seen.length < 2) {
    server.tick();
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  const first = Number(seen[0]);
  server.dropAll(1012);
  await until(() => live.state().phase === 'reconnecting');
  server.tick(5);
  await until(() => live.state().phase === 'resumed');
  server.tick();
  await until(() => seen.at(-1) === String(server.newest()));
  const last = Number(seen.at(-1));
  expect(seen).toEqual(Array.from({ length: last - first + 1 }, (_, index) => String(first + index)));
  expect(live.state().missed).toBe(0);
  stop();
});

it('refreshes a revoked token before it comes back, and keeps quiet about it', async () => {
  await using server = await startTicker();
  let token = 'old';
  const live = createLiveClient({
    url: server.url,
    accessToken: async () => token,
    refreshToken: async () => {
      token = 'new';
    },
  });
  const phases: string[] = [];
  live.onState(() => phases.push(live.state().phase));
  const { stop, until } = follow(live);
  await until(() => live.state().phase === 'connected');
  server.dropAll(4403);
  await until(() => server.tokens.length === 2 && live.state().attempt === 0);
  expect(server.tokens).toEqual(['Bearer old', 'Bearer new']);
  expect(phases).not.toContain('reconnecting');
  stop();
});

it('tells of the gap when the server no longer has what was missed', async () => {
  await using server = await startTicker();
  const live = createLiveClient({
    url: server.url,
    accessToken: async () => 'a',
    refreshToken: async () => undefined,
  });
  const { seen, stop, until } = follow(live);
  await until(() => live.state().phase === 'connected');
  while (seen.length < 1) {
    server.tick();
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  const before = Number(seen.at(-1));
  server.dropAll(1012);
  await until(() => live.state().phase === 'reconnecting');
  server.tick(20);
  server.forgetBefore(before + 8);
  await until(() => live.state().phase === 'gap');
  expect(live.state()).toMatchObject({ missed: expect.any(Number), reason: 'RETENTION' });
  expect(seen.at(-1) === String(before)).toBe(false);
  stop();
});

it('starts again at the present when its cursor is refused, and says that the past is lost', async () => {
  await using server = await startTicker();
  const live = createLiveClient({
    url: server.url,
    accessToken: async () => 'a',
    refreshToken: async () => undefined,
  });
  const { seen, stop, until } = follow(live);
  await until(() => live.state().phase === 'connected');
  while (seen.length < 1) {
    server.tick();
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  server.refuseCursors();
  server.dropAll(1012);
  await until(() => live.state().phase === 'gap');
  expect(live.state()).toMatchObject({ missed: null, reason: 'CURSOR_REFUSED' });
  const known = seen.length;
  while (seen.length === known) {
    server.tick();
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  expect(seen.every((entry) => /^\d+$/.test(entry))).toBe(true);
  stop();
});
