import { createClient } from 'graphql-ws';
import WebSocket from 'ws';

/** A program that follows telemetry over graphql-ws and comes back with its cursor whenever it is cut off. */
export interface Subscriber extends AsyncDisposable {
  /** How often each `{device}/{message id}` has arrived as a reading. */
  readonly seen: ReadonlyMap<string, number>;
  readonly gaps: readonly { reason: string; missed: number | null }[];
  readonly reconnects: number;
}

const DOCUMENT = `subscription ($after: Cursor) {
  telemetry(after: $after) {
    __typename
    ... on TelemetrySnapshot { cursor }
    ... on TelemetryReading { cursor messageId device { key } }
    ... on StreamGap { cursor reason missed }
  }
}`;

type Payload =
  | { __typename: 'TelemetrySnapshot'; cursor: string }
  | { __typename: 'TelemetryReading'; cursor: string; messageId: string; device: { key: string } }
  | { __typename: 'StreamGap'; cursor: string; reason: string; missed: number | null };

/** Resolves when the snapshot has arrived: from then on nothing may be missed. */
export async function openSubscriber(httpPort: number, token: string): Promise<Subscriber> {
  const seen = new Map<string, number>();
  const gaps: { reason: string; missed: number | null }[] = [];
  const first = Promise.withResolvers<void>();
  let cursor: string | undefined;
  let reconnects = 0;
  let closed = false;
  let end: () => unknown = () => undefined;

  const take = (payload: Payload) => {
    cursor = payload.cursor;
    if (payload.__typename === 'TelemetrySnapshot') first.resolve();
    else if (payload.__typename === 'StreamGap')
      gaps.push({ reason: payload.reason, missed: payload.missed });
    else {
      const name = `${payload.device.key}/${payload.messageId}`;
      seen.set(name, (seen.get(name) ?? 0) + 1);
    }
  };

  const once = async () => {
    const client = createClient({
      url: `ws://127.0.0.1:${httpPort}/graphql`,
      webSocketImpl: WebSocket,
      connectionParams: { authorization: `Bearer ${token}` },
      retryAttempts: 0,
      keepAlive: 2_000,
    });
    const results = client.iterate<{ telemetry: Payload }>({
      query: DOCUMENT,
      variables: { after: cursor ?? null },
    });
    end = () => client.terminate();
    try {
      for await (const result of results) {
        if (result.errors) throw new Error(result.errors.map((error) => error.message).join('; '));
        if (result.data) take(result.data.telemetry);
      }
    } finally {
      await client.dispose();
    }
  };

  const running = (async () => {
    while (!closed) {
      await once().catch(() => undefined);
      if (closed) return;
      reconnects++;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  })();

  await first.promise;
  return {
    seen,
    gaps,
    get reconnects() {
      return reconnects;
    },
    async [Symbol.asyncDispose]() {
      closed = true;
      end();
      await running;
    },
  };
}
