import { createHash } from 'node:crypto';
import type { StandaloneConfig } from './config.ts';
import { createPortChooser } from './ports.ts';

const DEFAULT_HTTP = 8080;
const DEFAULT_MQTT = 1883;
const DEFAULT_MQTTS = 8883;
const DEFAULT_MQTT_WS = 8083;
const OWN_PROCESSES = [
  'identity',
  'api',
  'gateway',
  'ingest',
  'evaluator',
  'relay',
  'janitor',
  'simulator',
] as const;

export interface PlatformPorts {
  readonly http: number;
  readonly mqtt: number;
  readonly mqtts: number;
  readonly mqttWs: number;
  readonly identity: number;
  readonly postgres: number;
  readonly nats: number;
  readonly natsMonitor: number;
  /** Of one of our own processes. */
  health(process: string): number;
}

/**
 * Chooses every port. The ones that people type come first; those that only our processes use lie in a range derived
 * from the data folder, so that they are the same at the next start and two platforms stay out of each other's way.
 * `onTaken` is told when a default had to give way.
 * @throws Error when a port that was asked for is taken.
 */
export async function choosePorts(
  config: StandaloneConfig,
  onTaken: (wanted: number, given: number) => void,
): Promise<PlatformPorts> {
  const chooser = createPortChooser();
  const open = async (asked: number | undefined, flag: string, usual: number) => {
    if (asked !== undefined) return chooser.exactly(asked, flag, config.host);
    const given = await chooser.near(usual, config.host);
    if (given !== usual) onTaken(usual, given);
    return given;
  };
  const http = await open(config.httpPort, '--http', DEFAULT_HTTP);
  const mqtt = await open(config.mqttPort, '--mqtt', DEFAULT_MQTT);
  const mqtts = await open(config.mqttsPort, '--mqtts', DEFAULT_MQTTS);
  const mqttWs = await open(config.mqttWsPort, '--mqtt-ws', DEFAULT_MQTT_WS);
  const identity = await chooser.near(http + 1, config.host);
  const base = 20_000 + (createHash('sha256').update(config.dataDir).digest().readUInt16BE() % 500) * 24;
  const postgres = await chooser.near(base);
  const nats = await chooser.near(base + 1);
  const natsMonitor = await chooser.near(base + 2);
  const health = new Map<string, number>();
  for (const [index, name] of OWN_PROCESSES.entries()) health.set(name, await chooser.near(base + 3 + index));
  return {
    ...{ http, mqtt, mqtts, mqttWs, identity, postgres, nats, natsMonitor },
    health(name) {
      const port = health.get(name);
      if (port === undefined) throw new Error(`no health port was chosen for ${name}`);
      return port;
    },
  };
}
