import process from 'node:process';
import { AckPolicy, type JsMsg, jetstream, jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { insertMany, openPeerPool, readMessage } from './table.ts';

const BATCH = 500;

/** Stores what the bridge has put on the stream, many rows at once, and acknowledges each message afterwards. */
const pool = openPeerPool(process.env['DATABASE_URL'] ?? '');
const connection = await connect({ servers: process.env['NATS_URL'] ?? '' });
const manager = await jetstreamManager(connection);
await manager.streams.add({ name: 'PEER', subjects: ['peer.*'] });
await manager.consumers.add('PEER', {
  durable_name: 'store',
  ack_policy: AckPolicy.Explicit,
  max_ack_pending: 10_000,
});
const consumer = await jetstream(connection).consumers.get('PEER', 'store');
let waiting: JsMsg[] = [];
let writing = false;
await consumer.consume({ max_messages: 5_000, callback: (message) => void waiting.push(message) });
setInterval(async () => {
  if (writing) return;
  writing = true;
  while (waiting.length > 0) {
    const batch = waiting.slice(0, BATCH);
    waiting = waiting.slice(BATCH);
    const readings = batch.map(({ subject, data }) => readMessage(`///${subject.slice(5)}`, data));
    await insertMany(pool, readings);
    for (const message of batch) message.ack();
  }
  writing = false;
}, 5);
process.stdout.write('ready\n');
