import { setTimeout as sleep } from 'node:timers/promises';
import { type JetStreamClient, type JetStreamManager, jetstream, jetstreamManager } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/nats-core';
import { connect } from '@nats-io/transport-node';
import type { Logger } from '../runtime/logger.ts';
import { ensureStreams, type StreamLimits } from './streams.ts';

export interface Bus {
  readonly connection: NatsConnection;
  readonly js: JetStreamClient;
  readonly jsm: JetStreamManager;
  /** False while the connection is down; the client reconnects by itself, for ever. */
  connected(): boolean;
  /**
   * Calls back after each reconnect: what was missed meanwhile must be assumed, caches flushed. Returns how to be called no
   * more.
   */
  onReconnect(listener: () => void): () => void;
  close(): Promise<void>;
}

export interface BusOptions {
  readonly url: string;
  readonly name: string;
  readonly log: Logger;
  readonly limits: StreamLimits;
  /** How long to wait for the first connection and for JetStream to answer, in milliseconds. Default 30 000. */
  readonly patienceMs?: number;
}

/** Connects and makes sure that the streams exist. Keeps reconnecting for ever once it has been connected. */
export async function openBus(options: BusOptions): Promise<Bus> {
  const { log } = options;
  const patienceMs = options.patienceMs ?? 30_000;
  const dial = () =>
    connect({
      servers: options.url.split(','),
      name: options.name,
      maxReconnectAttempts: -1,
      reconnectTimeWait: 200,
      reconnectJitter: 200,
      waitOnFirstConnect: false,
      pingInterval: 5_000,
      maxPingOut: 2,
      timeout: 5_000,
    });
  const connection = await answering(patienceMs, dial);
  const listeners = new Set<() => void>();
  let up = true;
  void (async () => {
    for await (const status of connection.status()) {
      if (status.type === 'disconnect') {
        up = false;
        log.warn('bus disconnected');
      } else if (status.type === 'reconnect') {
        up = true;
        log.info('bus reconnected');
        for (const listener of listeners) listener();
        // A server that came back without its data has no streams.
        void restoreStreams();
      }
    }
  })();
  const js = jetstream(connection, { timeout: 5_000 });
  const jsm = await answering(patienceMs, async () => {
    const manager = await jetstreamManager(connection, { timeout: 5_000 });
    await ensureStreams(manager, options.limits);
    return manager;
  });
  async function restoreStreams(): Promise<void> {
    await answering(patienceMs, () => ensureStreams(jsm, options.limits)).catch((error: unknown) =>
      log.error({ err: error }, 'the streams could not be made sure of'),
    );
  }
  return {
    connection,
    js,
    jsm,
    connected: () => up && !connection.isClosed(),
    onReconnect(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    async close() {
      if (connection.isClosed()) return;
      await (up ? connection.drain() : connection.close()).catch(() => connection.close());
    },
  };
}

/** Asks again every 100 ms until there is an answer or patience ends. A server that is starting refuses connections first, and answers for JetStream a little after it accepts them. */
async function answering<Result>(patienceMs: number, ask: () => Promise<Result>): Promise<Result> {
  const deadline = Date.now() + patienceMs;
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await sleep(100);
    }
  }
}
