import { type Client, CloseCode, createClient } from 'graphql-ws/client';
import { reconnectDelayMs } from './backoff.ts';
import {
  advance,
  initialLiveState,
  type LiveInput,
  type LiveState,
  readStreamNote,
  resumeVariables,
} from './resume.ts';

/** How long after a reconnect silence means that nothing was missed. */
const settleMs = 1_500;
/** A socket that does not answer a ping within this time is dead. */
const pongWaitMs = 5_000;
const pingEveryMs = 10_000;

const closeCodes = { revoked: 4403, unauthorized: 4401, restarting: 1012 } as const;

export type LiveRequest = {
  readonly query: string;
  readonly operationName?: string;
  readonly variables: Readonly<Record<string, unknown>>;
};

export type LivePayload = {
  readonly data: Record<string, unknown> | null;
  readonly errors: readonly { readonly message: string }[];
};

export type LiveSink = {
  next(payload: LivePayload): void;
  /** The server refuses this subscription. It is over; the others continue. */
  error(error: Error): void;
};

export type LiveOptions = {
  /** ws:// or wss:// address of the GraphQL endpoint. */
  readonly url: string;
  /** Slug of the tenant meant, for somebody who belongs to several. */
  readonly tenant?: string | undefined;
  /** A token that is valid now; called once for each connection. */
  accessToken(): Promise<string>;
  /** Called before reconnecting when the server closed with 4403 or 4401. */
  refreshToken(): Promise<void>;
};

/**
 * One socket for every live subscription of the page. Opens with the first subscription, closes shortly after the last.
 * A broken socket is opened again with growing, jittered pauses, and each subscription continues with `after` set to the
 * newest cursor it has seen, so that a reader sees every event exactly once or is told of a gap.
 */
export type LiveClient = {
  /** Starts a subscription whose payloads carry cursors. Returns what ends it. */
  subscribe(request: LiveRequest, sink: LiveSink): () => void;
  state(): LiveState;
  onState(listener: () => void): () => void;
  /** Closes the current notice ("resumed", a gap). */
  dismiss(): void;
};

type Entry = {
  readonly request: LiveRequest;
  readonly sink: LiveSink;
  cursor: string | undefined;
  stop: (() => void) | undefined;
};

/** Creates the client without connecting. */
export function createLiveClient(options: LiveOptions): LiveClient {
  const entries = new Set<Entry>();
  const listeners = new Set<() => void>();
  let state = initialLiveState;
  let retryTimer: ReturnType<typeof setTimeout> | undefined;
  let settleTimer: ReturnType<typeof setTimeout> | undefined;
  let renewToken = false;

  const apply = (input: LiveInput) => {
    const next = advance(state, input, Date.now());
    if (next === state) return;
    state = next;
    for (const listener of listeners) listener();
  };

  const socket = openSocket(options, {
    opened() {
      apply({ type: 'opened' });
      clearTimeout(settleTimer);
      settleTimer = setTimeout(() => apply({ type: 'settled' }), settleMs);
    },
  });

  /** Every broken subscription reports the same break; the first report schedules the one retry for all. */
  const scheduleRetry = (code: number | undefined) => {
    if (retryTimer !== undefined || entries.size === 0) return;
    clearTimeout(settleTimer);
    const refused = code === closeCodes.revoked || code === closeCodes.unauthorized;
    renewToken = refused;
    apply({ type: 'closed', planned: refused });
    const delay = refused && state.attempt === 1 ? 0 : reconnectDelayMs(state.attempt);
    retryTimer = setTimeout(retry, delay);
  };
  const retry = () => {
    clearTimeout(retryTimer);
    retryTimer = undefined;
    const ready = renewToken ? options.refreshToken() : Promise.resolve();
    renewToken = false;
    ready.then(
      () => {
        for (const entry of entries) if (!entry.stop) start(entry);
      },
      () => scheduleRetry(closeCodes.revoked),
    );
  };

  const start = (entry: Entry) => {
    const { query, operationName } = entry.request;
    const resumedFrom = entry.cursor;
    const payload = {
      query,
      variables: resumeVariables(entry.request.variables, { cursor: entry.cursor }),
      ...(operationName === undefined ? {} : { operationName }),
    };
    const end = (): boolean => {
      entry.stop = undefined;
      return entries.has(entry);
    };
    entry.stop = socket.subscribe(payload, {
      next(result) {
        const note = readStreamNote(result.data);
        if (note.cursor !== undefined) entry.cursor = note.cursor;
        if (note.gap) apply({ type: 'gap', ...note.gap });
        entry.sink.next({ data: result.data ?? null, errors: result.errors ?? [] });
      },
      error(cause) {
        if (!end()) return;
        if (!Array.isArray(cause)) return scheduleRetry(readCloseCode(cause));
        if (resumedFrom !== undefined) {
          // The cursor itself may be what is refused. Begin again at the present, and say that the past is lost.
          entry.cursor = undefined;
          apply({ type: 'gap', missed: null, reason: 'CURSOR_REFUSED' });
          start(entry);
          return;
        }
        entries.delete(entry);
        entry.sink.error(new Error(readMessages(cause)));
      },
      complete() {
        // Live subscriptions do not end by themselves: the server is draining.
        if (end()) scheduleRetry(closeCodes.restarting);
      },
    });
  };

  globalThis.addEventListener?.('online', () => {
    if (retryTimer !== undefined) retry();
  });

  return {
    subscribe(request, sink) {
      const entry: Entry = { request, sink, cursor: undefined, stop: undefined };
      entries.add(entry);
      if (retryTimer === undefined) start(entry);
      return () => {
        entries.delete(entry);
        entry.stop?.();
        if (entries.size > 0) return;
        clearTimeout(retryTimer);
        clearTimeout(settleTimer);
        retryTimer = undefined;
        if (state.phase === 'reconnecting') apply({ type: 'emptied' });
      };
    },
    state: () => state,
    onState(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    dismiss: () => apply({ type: 'dismissed' }),
  };
}

/** The graphql-ws client with retries switched off (they would repeat the old cursor) and a watch over silent sockets. */
function openSocket(options: LiveOptions, events: { opened(): void }): Client {
  let pongTimer: ReturnType<typeof setTimeout> | undefined;
  let current: WebSocket | undefined;
  return createClient({
    url: options.url,
    lazy: true,
    lazyCloseTimeout: 3_000,
    retryAttempts: 0,
    keepAlive: pingEveryMs,
    connectionAckWaitTimeout: 10_000,
    connectionParams: async () => ({
      authorization: `Bearer ${await options.accessToken()}`,
      ...(options.tenant === undefined ? {} : { tenant: options.tenant }),
    }),
    on: {
      opened: (opened) => {
        if (opened instanceof WebSocket) current = opened;
      },
      connected: () => events.opened(),
      ping: (received) => {
        if (received) return;
        clearTimeout(pongTimer);
        pongTimer = setTimeout(() => current?.close(4408, 'No answer to a ping'), pongWaitMs);
      },
      pong: (received) => {
        if (received) clearTimeout(pongTimer);
      },
      closed: () => clearTimeout(pongTimer),
    },
  });
}

function readCloseCode(cause: unknown): number | undefined {
  if (typeof cause !== 'object' || cause === null || !('code' in cause)) return undefined;
  return typeof cause.code === 'number' ? cause.code : CloseCode.InternalClientError;
}

function readMessages(errors: readonly unknown[]): string {
  const messages = errors.map((error) =>
    typeof error === 'object' && error !== null && 'message' in error ? String(error.message) : 'refused',
  );
  return messages.join('; ');
}
