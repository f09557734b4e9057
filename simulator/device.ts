import { type MqttClient, connect as openClient } from 'mqtt';
import { buildTopic, type Leaf } from '#core/mqtt/topics.ts';
import { type Clock, every } from '#core/runtime/every.ts';
import type { Logger } from '#core/runtime/logger.ts';
import { answersTo, obey, readMessage } from './answers.ts';
import type { SimulatedDevice } from './config.ts';
import { buildPattern, patternFor } from './patterns.ts';

/** Samples kept while there is no connection; what comes later is not taken. */
const MAX_UNSENT = 600;
/** How long a command takes, and a change of settings. */
const REACTION_MS = 800;

export interface PretendDevice {
  start(): void;
  /** Says that it is offline and leaves; samples that were not sent are lost with it. */
  stop(): Promise<void>;
  readonly connected: boolean;
  /** Samples published and not acknowledged. */
  readonly unsent: number;
}

export interface PretendDeviceOptions {
  readonly url: string;
  readonly device: SimulatedDevice;
  readonly intervalMs: number;
  readonly log: Logger;
  readonly onAcknowledged: () => void;
  /** Tells this life's sequence numbers from those of an earlier one: 1 to 65 535. */
  readonly boot: number;
}

/**
 * One device over real MQTT: a status with a last will, then a sample each interval, numbered, with QoS 1. It does every command
 * and reports its one setting, how often it samples, which its shadow may change.
 */
export function createPretendDevice(options: PretendDeviceOptions): PretendDevice {
  const { device, log } = options;
  const topic = (leaf: Leaf) => buildTopic(device.tenant, device.key, leaf);
  const pattern = Object.entries(buildPattern(device.pattern ?? patternFor(device.key), device.key));
  const status = (text: 'online' | 'offline') => JSON.stringify({ status: text });
  let settings = { sample_interval_ms: options.intervalMs };
  let client: MqttClient | undefined;
  let clock: Clock | undefined;
  const timers = new Set<NodeJS.Timeout>();
  let sequence = 0;
  let unsent = 0;

  const publish = async () => {
    if (!client || unsent >= MAX_UNSENT) return;
    const at = Date.now();
    sequence += 1;
    const metrics = Object.fromEntries(pattern.map(([metric, signal]) => [metric, signal(at)]));
    const message = {
      version: '1',
      ts: new Date(at).toISOString(),
      seq: sequence,
      boot: options.boot,
      metrics,
    };
    unsent += 1;
    client.publish(topic('telemetry'), JSON.stringify(message), { qos: 1 }, (error) => {
      unsent -= 1;
      if (!error) options.onAcknowledged();
    });
  };

  const say = (leaf: Leaf, message: object) =>
    client?.publish(topic(leaf), JSON.stringify(message), { qos: 1 });
  const later = (task: () => unknown) => {
    const timer = setTimeout(() => {
      timers.delete(timer);
      task();
    }, REACTION_MS);
    timers.add(timer);
  };

  const hear = (heard: string, payload: Buffer) => {
    const message = readMessage(payload);
    if (!message) return;
    if (heard === topic('commands')) {
      const [accepted, done] = answersTo(message, Date.now() + REACTION_MS);
      if (!accepted) return;
      say('commands/ack', accepted);
      later(() => done && say('commands/ack', done));
    } else
      later(async () => {
        const next = obey(settings, message);
        if (next !== settings) {
          settings = next;
          await clock?.stop();
          sample();
        }
        report(message['version']);
      });
  };

  const sample = () => {
    clock = every(settings.sample_interval_ms, device.key, log, publish);
  };
  /** Tells what it is, and what it was told last where it was told. */
  const report = (version?: unknown) => say('shadow/reported', { reported: settings, version });

  return {
    start() {
      const opened = openClient(options.url, {
        clientId: `simulator-${device.key}`,
        username: device.username,
        password: device.password,
        keepalive: 30,
        reconnectPeriod: 500 + Math.random() * 1_000,
        will: { topic: topic('status'), payload: Buffer.from(status('offline')), qos: 1, retain: true },
      });
      opened.on('connect', () => {
        opened.publish(topic('status'), status('online'), { qos: 1, retain: true });
        report();
        opened.subscribe([topic('commands'), topic('shadow/desired')], { qos: 1 });
      });
      opened.on('message', hear);
      opened.on('error', (error) => log.warn({ device: device.key, err: error }, 'device not connected'));
      client = opened;
      sample();
    },
    async stop() {
      for (const timer of timers) clearTimeout(timer);
      await clock?.stop();
      if (client?.connected) client.publish(topic('status'), status('offline'), { qos: 1, retain: true });
      await client?.endAsync();
    },
    get connected() {
      return client?.connected ?? false;
    },
    get unsent() {
      return unsent;
    },
  };
}
