import { createServer } from 'node:http';
import { buildSchema, type ExecutionArgs } from 'graphql';
import { useServer } from 'graphql-ws/use/ws';
import { expect, it } from 'vitest';
import { WebSocketServer } from 'ws';
import { createLiveClient, type LiveClient } from './live-client.ts';

const typeDefs = `
  type Query { ok: Boolean }
  type Subscription { ticks(after: String): Event! }
  union Event = Tick | StreamGap
  type Tick { cursor: String! }
  type StreamGap { cursor: String! missed: Int reason: String! }
`;
const query = `subscription Ticks($after: String) {
  ticks(after: $after) { __typename ... on Tick { cursor } ... on StreamGap { cursor missed reason } }
}`;

/** A stream of cursors 1, 2, 3 … on a real socket; it resumes behind `after` and refuses tokens that were revoked. */
async function startTicker() {
  let newest = 0;
  let oldest = 1;
  const waiting = new Set<() => void>();
  const tokens: string[] = [];
  async function* ticks(after: string | undefined, signal: AbortSignal) {
    let seen = after === undefined ? newest : Number(after);
    if (seen + 1 < oldest) {
      yield {
        __typename: 'StreamGap',
        cursor: String(oldest - 1),
        missed: oldest - 1 - seen,
        reason: 'RETENTION',
      };
      seen = oldest - 1;
    }
    while (!signal.aborted) {
      while (seen < newest) yield { __typename: 'Tick', cursor: String(++seen) };
      await new Promise<void>((wake) => {
        waiting.add(wake);
        signal.addEventListener('abort', () => wake(), { once: true });
      });
    }
  }
  const http = createServer();
  const sockets = new WebSocketServer({ server: http });
  const stopping = new AbortController();
  useServer(
    {
      schema: buildSchema(typeDefs),
      roots: {
        subscription: {
          async *ticks({ after }: { after?: string }) {
            for await (const event of ticks(after, stopping.signal)) yield { ticks: event };
          },
        },
      },
      onConnect: ({ connectionParams }) => {
        tokens.push(String(connectionParams?.['authorization']));
        return true;
      },
      onSubscribe: (_context, _id, payload): ExecutionArgs | undefined => {
        if (payload.variables?.['after'] === '13') throw new Error('unlucky');
        return undefined;
      },
    },
    sockets,
  );
  await new Promise<void>((listening) => http.listen(0, '127.0.0.1', listening));
  const address = http.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  return {
    url: `ws://127.0.0.1:${port}`,
    tokens,
    tick(count = 1) {
      newest += count;
      for (const wake of waiting) wake();
      waiting.clear();
    },
    forgetBefore(cursor: number) {
      oldest = cursor;
    },
    dropAll(code: number) {
      for (const socket of sockets.clients) socket.close(code, 'test');
    },
    async [Symbol.asyncDispose]() {
      stopping.abort();
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
      const check = () => condition() && (waiters.delete(check), resolve());
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
  server.tick(0);
  while (seen.length < 2) {
    server.tick();
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  const first = Number(seen[0]);
  server.dropAll(1012);
  await until(() => live.state().phase === 'reconnecting');
  server.tick(5);
  await until(() => live.state().phase === 'resumed');
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
