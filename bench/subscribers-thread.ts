import { setTimeout as sleep } from 'node:timers/promises';
import { parentPort, workerData } from 'node:worker_threads';
import { createClient } from 'graphql-ws';
import WebSocket from 'ws';
import { Histogram } from '#simulator/histogram.ts';
import type {
  Subscriber,
  SubscribersAnswer,
  SubscribersCommand,
  SubscribersData,
  SubscribersReport,
} from './subscribers.ts';

const WATCH = /* GraphQL */ `
  subscription Watch($keys: [String!]!) {
    telemetry(where: { deviceKeys: $keys }) {
      __typename
      ... on TelemetryReading {
        at
        messageId
        metrics
        device {
          key
        }
      }
    }
  }
`;

interface Watched {
  readonly telemetry:
    | { readonly __typename: 'TelemetrySnapshot' | 'StreamGap' }
    | {
        readonly __typename: 'TelemetryReading';
        readonly at: string;
        readonly messageId: string;
        readonly device: { readonly key: string };
      };
}

const data = workerData as SubscribersData;
const latency = new Histogram();
const failures = new Set<string>();
/** Of each subscriber, the messages it saw of each device. */
const seen = data.subscribers.map(() => new Map<string, Set<string>>());
let received = 0;
let repeated = 0;
let gaps = 0;

const tell = (answer: SubscribersAnswer) => parentPort?.postMessage(answer);

/** Resolves with the first answer: the snapshot, which means that everything from now on arrives. */
function watch(subscriber: Subscriber, index: number): Promise<void> {
  const client = createClient({
    url: data.url,
    webSocketImpl: WebSocket,
    connectionParams: { authorization: `Bearer ${subscriber.apiKey}` },
  });
  return new Promise((resolve) => {
    client.subscribe<Watched>(
      { query: WATCH, variables: { keys: subscriber.deviceKeys } },
      {
        next(result) {
          resolve();
          for (const error of result.errors ?? []) failures.add(error.message);
          const event = result.data?.telemetry;
          if (event?.__typename === 'StreamGap') gaps += 1;
          if (event?.__typename !== 'TelemetryReading') return;
          latency.record(Date.now() - Date.parse(event.at));
          received += 1;
          const device = `${subscriber.tenant}/${event.device.key}`;
          let messages = seen[index]?.get(device);
          if (!messages) {
            messages = new Set();
            seen[index]?.set(device, messages);
          }
          if (messages.has(event.messageId)) repeated += 1;
          messages.add(event.messageId);
        },
        error(error) {
          failures.add(error instanceof Error ? error.message : JSON.stringify(error));
          resolve();
        },
        complete: () => resolve(),
      },
    );
  });
}

function report(): SubscribersReport {
  const fewest: Record<string, number> = {};
  for (const [index, { tenant, deviceKeys }] of data.subscribers.entries()) {
    for (const key of deviceKeys) {
      const device = `${tenant}/${key}`;
      fewest[device] = Math.min(
        fewest[device] ?? Number.POSITIVE_INFINITY,
        seen[index]?.get(device)?.size ?? 0,
      );
    }
  }
  const [p50, p95, p99] = [latency.percentile(0.5), latency.percentile(0.95), latency.percentile(0.99)];
  return { ...{ received, repeated, gaps, p50, p95, p99 }, failures: [...failures], seen: fewest };
}

parentPort?.on('message', (command: SubscribersCommand) => {
  if (command === 'count') latency.clear();
  else if (command === 'report') tell({ report: report() });
});

await Promise.race([Promise.all(data.subscribers.map(watch)), sleep(30_000)]);
tell({ ready: true });
