import { connect, type IClientSubscribeOptions, type MqttClient } from 'mqtt';
import type { SeededDevice } from './seed.ts';

/** What a device should be, as it hears it. */
export interface HeardState {
  readonly desired: Readonly<Record<string, unknown>>;
  readonly version: number;
  readonly timestamp: string;
  /** The retain flag. */
  readonly retained: boolean;
}

/** A real MQTT client that hears what it should be and says what it is. */
export interface ShadowedDevice extends AsyncDisposable {
  readonly client: MqttClient;
  /** In order, repeats too; the empty message of the end is left out. */
  readonly heard: readonly HeardState[];
  subscribe(options?: Partial<IClientSubscribeOptions>): Promise<void>;
  /** Resolves with the PUBACK. */
  report(reported: unknown, version?: number): Promise<void>;
  /** Publishes bytes as they are. */
  say(payload: string): Promise<void>;
}

export interface ShadowedOptions {
  /** Becomes what it hears, and says so. */
  readonly obeys?: boolean;
  /** Keeps its session. */
  readonly kept?: boolean;
  /** Comes back by itself. */
  readonly returns?: boolean;
  readonly version?: 4 | 5;
  /** Does not subscribe. */
  readonly deaf?: boolean;
}

export async function openShadowed(
  url: string,
  device: SeededDevice,
  { obeys = false, kept = false, returns = false, version = 5, deaf = false }: ShadowedOptions = {},
): Promise<ShadowedDevice> {
  const heard: HeardState[] = [];
  const client = connect(url, {
    ...{ clientId: device.key, username: device.username, password: device.password },
    ...{ protocolVersion: version, clean: !kept, reconnectPeriod: returns ? 100 : 0 },
    ...(kept && version === 5 && { properties: { sessionExpiryInterval: 600 } }),
  });
  const base = `tenant/${device.tenant}/device/${device.key}/shadow/`;
  const say = async (payload: string) => {
    await client.publishAsync(`${base}reported`, payload, { qos: 1 });
  };
  const report = (reported: unknown, answers?: number) =>
    say(JSON.stringify({ reported, ...(answers !== undefined && { version: answers }) }));
  const subscribe = async (options: Partial<IClientSubscribeOptions> = {}) => {
    await client.subscribeAsync(`${base}desired`, { qos: 1, ...options });
  };
  client.on('error', () => undefined);
  client.on('message', (_, payload, { retain }) => {
    if (payload.length === 0) return;
    const state: Omit<HeardState, 'retained'> = JSON.parse(payload.toString());
    heard.push({ ...state, retained: retain });
    if (obeys) void report(state.desired, state.version).catch(() => undefined);
  });
  await new Promise<void>((resolve, reject) => {
    client.once('connect', () => resolve());
    client.once('close', () => reject(new Error(`${device.key} was not let in`)));
  });
  if (!deaf) await subscribe();
  return { client, heard, subscribe, report, say, [Symbol.asyncDispose]: () => client.endAsync(true) };
}
