import {
  DiscardPolicy,
  JetStreamApiError,
  type JetStreamManager,
  RetentionPolicy,
  StorageType,
  type StreamConfig,
} from '@nats-io/jetstream';
import { nanos } from '@nats-io/nats-core';

export type StreamName = 'TELEMETRY' | 'SHADOW' | 'COMMANDS' | 'DOWNLINK' | 'EVENTS';

export interface StreamLimits {
  readonly replicas: number;
  /** Bytes of telemetry waiting for the database before devices are refused. */
  readonly telemetryMaxBytes: number;
  /** The same of reported shadows, and of acknowledgements of commands. */
  readonly shadowMaxBytes: number;
  readonly commandsMaxBytes: number;
  /** How far back a live subscription can resume: this long and this many bytes, whichever is reached first. */
  readonly eventsMaxAgeMs: number;
  readonly eventsMaxBytes: number;
}

const HOUR_MS = 3_600_000;
const MIB = 1024 ** 2;
const GIB = 1024 ** 3;

export const DEFAULT_STREAM_LIMITS: StreamLimits = {
  replicas: 1,
  telemetryMaxBytes: 4 * GIB,
  shadowMaxBytes: 256 * MIB,
  commandsMaxBytes: 256 * MIB,
  eventsMaxAgeMs: HOUR_MS,
  eventsMaxBytes: GIB,
};

/** Remembering message ids this long is what makes a publisher's own retry harmless. */
const DUPLICATE_WINDOW_MS = 120_000;

/** The streams of the platform as data. A work queue refuses when it is full; a window forgets its oldest. */
export function streamConfigs(
  limits: StreamLimits,
): Record<StreamName, Partial<StreamConfig> & { name: string }> {
  const common = {
    storage: StorageType.File,
    num_replicas: limits.replicas,
    duplicate_window: nanos(DUPLICATE_WINDOW_MS),
  };
  const queue = { ...common, retention: RetentionPolicy.Workqueue, discard: DiscardPolicy.New };
  return {
    TELEMETRY: {
      ...{ ...queue, name: 'TELEMETRY', subjects: ['telemetry.*'], max_bytes: limits.telemetryMaxBytes },
    },
    SHADOW: {
      ...{ ...queue, name: 'SHADOW', subjects: ['shadow.*'], max_bytes: limits.shadowMaxBytes },
    },
    COMMANDS: {
      ...{ ...queue, name: 'COMMANDS', subjects: ['commands.*'], max_bytes: limits.commandsMaxBytes },
    },
    DOWNLINK: {
      ...common,
      name: 'DOWNLINK',
      subjects: ['downlink.*'],
      retention: RetentionPolicy.Limits,
      discard: DiscardPolicy.Old,
      max_age: nanos(HOUR_MS),
      max_bytes: GIB,
    },
    EVENTS: {
      ...common,
      name: 'EVENTS',
      subjects: ['events.*.*'],
      retention: RetentionPolicy.Limits,
      discard: DiscardPolicy.Old,
      max_age: nanos(limits.eventsMaxAgeMs),
      max_bytes: limits.eventsMaxBytes,
    },
  };
}

const STREAM_NOT_FOUND = 10059;
const STREAM_NAME_IN_USE = 10058;

/**
 * Creates what is missing and updates what differs. Safe to call from every process at once. A stream that is as it should be
 * is not touched: after an update, even one without effect, nats-server gives the stream a new creation time at its next
 * restart, and that time is how followers and cursors recognise the stream.
 */
export async function ensureStreams(manager: JetStreamManager, limits: StreamLimits): Promise<void> {
  for (const config of Object.values(streamConfigs(limits))) {
    const present = await readConfig(manager, config.name);
    if (!present) await addStream(manager, config);
    else if (differs(config, present)) await manager.streams.update(config.name, config);
  }
}

async function readConfig(manager: JetStreamManager, name: string): Promise<StreamConfig | undefined> {
  try {
    return (await manager.streams.info(name)).config;
  } catch (error) {
    if (error instanceof JetStreamApiError && error.code === STREAM_NOT_FOUND) return undefined;
    throw error;
  }
}

async function addStream(
  manager: JetStreamManager,
  config: Partial<StreamConfig> & { name: string },
): Promise<void> {
  try {
    await manager.streams.add(config);
  } catch (error) {
    if (!(error instanceof JetStreamApiError) || error.code !== STREAM_NAME_IN_USE) throw error;
  }
}

/** Whether any setting that we make is another one now. */
function differs(wanted: Partial<StreamConfig>, present: StreamConfig): boolean {
  return Object.entries(wanted).some(
    ([name, value]) => JSON.stringify(value) !== JSON.stringify(present[name as keyof StreamConfig]),
  );
}
