import { connect, type MqttClient } from 'mqtt';
import type { IPublishPacket } from 'mqtt-packet';
import type { SeededDevice } from './seed.ts';

/** A command as a device hears it. */
export interface HeardCommand {
  readonly topic: string;
  readonly message: {
    readonly command_id: string;
    readonly type: string;
    readonly params: Readonly<Record<string, unknown>>;
    readonly expires_at: string;
  };
  readonly packet: IPublishPacket;
}

/** What a device answers a command, in order; undefined: nothing. */
export type Answers = (
  command: HeardCommand['message'],
) => readonly { readonly status: string; readonly details?: unknown }[] | undefined;

/** A real MQTT client that hears its commands and answers them. */
export interface CommandedDevice extends AsyncDisposable {
  readonly client: MqttClient;
  /** In order, repeats too. */
  readonly heard: readonly HeardCommand[];
  answer(commandId: string, status: string, details?: unknown): Promise<void>;
}

export interface CommandedOptions {
  readonly answers?: Answers;
  /** Speaks as a meter of version 2. */
  readonly meter?: boolean;
  /** Keeps its session. */
  readonly kept?: boolean;
  /** Comes back by itself. */
  readonly returns?: boolean;
}

export async function openCommanded(
  url: string,
  device: SeededDevice,
  { answers, meter = false, kept = false, returns = false }: CommandedOptions = {},
): Promise<CommandedDevice> {
  const heard: HeardCommand[] = [];
  const client = connect(url, {
    ...{ clientId: device.key, username: device.username, password: device.password, protocolVersion: 5 },
    ...{ clean: !kept, reconnectPeriod: returns ? 100 : 0 },
    ...(kept && { properties: { sessionExpiryInterval: 600 } }),
  });
  const base = meter ? `iot/${device.key}/` : `tenant/${device.tenant}/device/${device.key}/`;
  const answer = async (commandId: string, status: string, details?: unknown) => {
    const said = { command_id: commandId, status, ...(details !== undefined && { details }) };
    const message = meter ? { v: 2, device_id: device.key, msg_type: 'command_ack', ...said } : said;
    const topic = base + (meter ? 'command/ack' : 'commands/ack');
    await client.publishAsync(topic, JSON.stringify(message), { qos: 1 });
  };
  client.on('error', () => undefined);
  client.on('message', (topic, payload, packet) => {
    const message = JSON.parse(payload.toString());
    heard.push({ topic, message, packet });
    const said = answers?.(message) ?? [];
    void (async () => {
      for (const { status, details } of said) await answer(message.command_id, status, details);
    })().catch(() => undefined);
  });
  await new Promise<void>((resolve, reject) => {
    client.once('connect', () => resolve());
    client.once('close', () => reject(new Error(`${device.key} was not let in`)));
  });
  await client.subscribeAsync(base + (meter ? 'command' : 'commands'), { qos: 1 });
  return { client, heard, answer, [Symbol.asyncDispose]: () => client.endAsync(true) };
}
