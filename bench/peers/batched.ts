import process from 'node:process';
import { connectAsync } from 'mqtt';
import { insertMany, openPeerPool, type PeerReading, readMessage } from './table.ts';

const BATCH_MS = 100;
const BATCH_READINGS = 5_000;

/** The shape of a flow that gathers messages and inserts many at once. The broker is answered at once. */
const pool = openPeerPool(process.env['DATABASE_URL'] ?? '');
const client = await connectAsync(process.env['MQTT_URL'] ?? '', { clientId: 'batched' });
let waiting: PeerReading[] = [];
client.on('message', (topic, payload) => waiting.push(readMessage(topic, payload)));
await client.subscribeAsync('tenant/+/device/+/telemetry', { qos: 1 });
let writing = false;
setInterval(async () => {
  if (writing) return;
  writing = true;
  while (waiting.length > 0) {
    const batch = waiting.slice(0, BATCH_READINGS);
    waiting = waiting.slice(BATCH_READINGS);
    await insertMany(pool, batch).catch((error: Error) => process.stderr.write(`${error.message}\n`));
  }
  writing = false;
}, BATCH_MS);
process.stdout.write('ready\n');
