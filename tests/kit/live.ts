import type { TelemetryEvent } from '#core/bus/events.ts';
import { type Collected, collect, type TestApi } from './api.ts';
import type { SeededDevice } from './seed.ts';

export const TELEMETRY = `subscription ($where: TelemetryFilter, $after: Cursor, $maxHz: Float) {
  telemetry(where: $where, after: $after, maxHz: $maxHz) { __typename
    ... on TelemetrySnapshot { cursor devices { device { key name } values { metric value at receivedAt } } }
    ... on TelemetryReading { cursor device { key } at messageId metrics }
    ... on StreamGap { cursor from to reason missed } } }`;

/** What the document above delivers, whichever it is. */
export interface LiveItem {
  readonly __typename: 'TelemetrySnapshot' | 'TelemetryReading' | 'StreamGap';
  readonly cursor: string;
  readonly device: { readonly key: string };
  readonly messageId: string;
  readonly metrics: Readonly<Record<string, unknown>>;
  readonly devices: readonly {
    readonly device: { readonly key: string };
    readonly values: readonly { readonly metric: string; readonly value: unknown }[];
  }[];
  readonly reason: string;
  readonly missed: number | null;
}

let nextId = 0;

/** A reading with the next message id, measured now. */
export function nextReading(device: SeededDevice, metrics?: TelemetryEvent['metrics']): TelemetryEvent {
  nextId += 1;
  return {
    deviceId: device.id,
    device: device.key,
    siteId: null,
    ts: Date.now(),
    id: String(nextId),
    receivedAt: Date.now(),
    metrics: metrics ?? { n: nextId },
  };
}

export const readingsOf = (live: Collected<LiveItem>): LiveItem[] =>
  live.items.filter((item) => item.__typename === 'TelemetryReading');

export const idsOf = (live: Collected<LiveItem>): string[] => readingsOf(live).map((item) => item.messageId);

/** Subscriptions of one test, each on a socket of its own. */
export interface LiveTester {
  follow(credential: string, variables?: Record<string, unknown>): Collected<LiveItem>;
  /** Closes every socket. */
  leave(): void;
}

export function createLiveTester(api: TestApi): LiveTester {
  const clients: { dispose(): unknown }[] = [];
  return {
    follow(credential, variables = {}) {
      const client = api.socket(credential);
      clients.push(client);
      return collect<LiveItem>(client, TELEMETRY, variables);
    },
    leave() {
      for (const client of clients.splice(0)) void client.dispose();
    },
  };
}
