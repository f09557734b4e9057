import process from 'node:process';
import { connectAsync } from 'mqtt';
import { openPeerPool, readMessage } from './table.ts';

/**
 * The shape of a flow that inserts each message by itself: MQTT in, one INSERT out. The broker is answered at once, so that what
 * waits here is lost with the process.
 */
const pool = openPeerPool(process.env['DATABASE_URL'] ?? '');
const client = await connectAsync(process.env['MQTT_URL'] ?? '', { clientId: 'single' });
client.on('message', (topic, payload) => {
  const { device, seq, ts, metrics } = readMessage(topic, payload);
  pool
    .query({
      name: 'insert-one',
      text: 'insert into peer_readings (device, seq, ts, metrics) values ($1, $2, $3, $4) on conflict do nothing',
      values: [device, seq, ts, metrics],
    })
    .catch((error: Error) => process.stderr.write(`${error.message}\n`));
});
await client.subscribeAsync('tenant/+/device/+/telemetry', { qos: 1 });
process.stdout.write('ready\n');
