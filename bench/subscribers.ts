import { once } from 'node:events';
import { Worker } from 'node:worker_threads';

/** One subscription of one client. */
export interface Subscriber {
  readonly apiKey: string;
  readonly tenant: string;
  readonly deviceKeys: readonly string[];
}

export interface SubscribersData {
  readonly url: string;
  readonly subscribers: readonly Subscriber[];
}

/** What the subscribers saw since they were asked to begin counting, latencies in ms from the message's own `ts`. */
export interface SubscribersReport {
  readonly received: number;
  readonly repeated: number;
  readonly gaps: number;
  readonly failures: readonly string[];
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  /** By `tenant/device`, how many different messages each subscriber of it saw, the fewest of them. */
  readonly seen: Readonly<Record<string, number>>;
}

export type SubscribersCommand = 'count' | 'report' | 'stop';
export type SubscribersAnswer = { readonly ready: true } | { readonly report: SubscribersReport };

/** Clients on a thread of their own, so that receiving does not slow down sending. */
export interface Subscribers extends AsyncDisposable {
  /** Forgets the latencies so far. */
  count(): void;
  report(): Promise<SubscribersReport>;
}

/** Resolves when every subscription has had its first answer. */
export async function openSubscribers(data: SubscribersData): Promise<Subscribers> {
  const worker = new Worker(new URL('./subscribers-thread.ts', import.meta.url), { workerData: data });
  const next = async (): Promise<SubscribersAnswer> => {
    const [answer] = await once(worker, 'message');
    return answer;
  };
  await next();
  return {
    count: () => worker.postMessage('count' satisfies SubscribersCommand),
    async report() {
      const answer = next();
      worker.postMessage('report' satisfies SubscribersCommand);
      const said = await answer;
      if (!('report' in said)) throw new Error('the subscribers did not report');
      return said.report;
    },
    async [Symbol.asyncDispose]() {
      await worker.terminate();
    },
  };
}
