import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Publishes one message with Debian's own client and QoS 1; resolves after the PUBACK. */
export async function mosquittoPub(
  mqttUrl: string,
  device: {
    readonly username: string;
    readonly password: string;
    readonly tenant: string;
    readonly key: string;
  },
  payload: unknown,
  topic = `tenant/${device.tenant}/device/${device.key}/telemetry`,
): Promise<void> {
  const { hostname, port } = new URL(mqttUrl);
  await run('mosquitto_pub', [
    ...['-h', hostname, '-p', port, '-u', device.username, '-P', device.password, '-q', '1'],
    ...['-t', topic, '-m', JSON.stringify(payload)],
  ]);
}
