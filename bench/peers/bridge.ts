import process from 'node:process';
import { jetstream } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { connectAsync } from 'mqtt';

/** Takes one message after the other from the broker to JetStream and answers each when it is stored there. */
const connection = await connect({ servers: process.env['NATS_URL'] ?? '' });
const js = jetstream(connection);
const client = await connectAsync(process.env['MQTT_URL'] ?? '', { clientId: 'bridge' });
client.handleMessage = ({ topic, payload }, done) => {
  const [, , , device = ''] = topic.split('/');
  const bytes = typeof payload === 'string' ? Buffer.from(payload) : payload;
  js.publish(`peer.${device}`, bytes).then(
    () => done(),
    (error: Error) => done(error),
  );
};
await client.subscribeAsync('tenant/+/device/+/telemetry', { qos: 1 });
process.stdout.write('ready\n');
