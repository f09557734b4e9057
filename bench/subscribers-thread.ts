import { setTimeout as sleep } from 'node:timers/promises';
import { parentPort, workerData } from 'node:worker_threads';
import WebSocket from 'ws';
import { Histogram } from '#simulator/histogram.ts';
import { type Reading, readingOf } from './live-reading.ts';
import { SeenMessages } from './seen-messages.ts';
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

/** What the server says; of a `next` only what is no reading. */
interface Said {
  readonly type: 'connection_ack' | 'ping' | 'next' | 'error' | 'complete';
  readonly payload?: {
    readonly errors?: readonly { readonly message: string }[];
    readonly data?: { readonly telemetry: { readonly __typename: string } };
  };
}

const data = workerData as SubscribersData;
const latency = new Histogram();
const failures = new Set<string>();
/** Of each subscriber, the messages it saw of each device. */
const seen = data.subscribers.map(() => new Map<string, SeenMessages>());
let received = 0;
let repeated = 0;
let gaps = 0;

const tell = (answer: SubscribersAnswer) => parentPort?.postMessage(answer);

/**
 * Subscribes by the graphql-transport-ws protocol; resolves with the first answer: the snapshot, which means that everything from
 * now on arrives. Lean, because it shares the machine with what is measured.
 */
function watch(subscriber: Subscriber, index: number): Promise<void> {
  const socket = new WebSocket(data.url, 'graphql-transport-ws', {
    skipUTF8Validation: true,
    perMessageDeflate: false,
  });
  const send = (message: object) => socket.send(JSON.stringify(message));
  return new Promise((resolve) => {
    const fail = (why: string) => {
      failures.add(why);
      resolve();
    };
    socket.on('open', () =>
      send({ type: 'connection_init', payload: { authorization: `Bearer ${subscriber.apiKey}` } }),
    );
    socket.on('error', (error) => fail(error.message));
    socket.on('close', (code, reason) => fail(`closed with ${code} ${reason.toString()}`));
    socket.on('message', (bytes: Buffer) => {
      const text = bytes.toString('latin1');
      const reading = readingOf(text);
      if (reading) return take(index, reading);
      const { type, payload } = JSON.parse(bytes.toString()) as Said;
      if (type === 'ping') send({ type: 'pong' });
      else if (type === 'connection_ack') {
        const variables = { keys: subscriber.deviceKeys };
        send({ id: '1', type: 'subscribe', payload: { query: WATCH, variables } });
      } else if (type === 'next') {
        resolve();
        for (const error of payload?.errors ?? []) failures.add(error.message);
        if (payload?.data?.telemetry.__typename === 'StreamGap') gaps += 1;
        if (payload?.data?.telemetry.__typename === 'TelemetryReading') fail(`not understood: ${text}`);
      } else fail(text);
    });
  });
}

function take(index: number, { at, messageId, device }: Reading): void {
  latency.record(Date.now() - at);
  received += 1;
  let messages = seen[index]?.get(device);
  if (!messages) {
    messages = new SeenMessages();
    seen[index]?.set(device, messages);
  }
  if (!messages.add(messageId)) repeated += 1;
}

function report(): SubscribersReport {
  const fewest: Record<string, number> = {};
  for (const [index, { tenant, deviceKeys }] of data.subscribers.entries()) {
    for (const key of deviceKeys) {
      const device = `${tenant}/${key}`;
      fewest[device] = Math.min(
        fewest[device] ?? Number.POSITIVE_INFINITY,
        seen[index]?.get(key)?.count ?? 0,
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
