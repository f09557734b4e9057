import { randomInt } from 'node:crypto';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { createLogger } from '#core/runtime/logger.ts';
import { createMetrics } from '#core/runtime/metrics.ts';
import { runService } from '#core/runtime/run-service.ts';
import { readConfig } from './config.ts';
import { createPretendDevice } from './device.ts';

const config = readConfig(process.env);
const log = createLogger('simulator', config.LOG_LEVEL);
const metrics = createMetrics('simulator');

await runService({
  log,
  metrics,
  health: { host: config.HEALTH_HOST, port: config.HEALTH_PORT },
  shutdownDeadlineMs: config.SHUTDOWN_DEADLINE_MS,
  async open() {
    const acknowledged = metrics.counter('acknowledged_total', 'Samples that the platform acknowledged.');
    const boot = randomInt(1, 65_536);
    const devices = config.devices.map((device) =>
      createPretendDevice({
        ...{ url: config.MQTT_URL, device, intervalMs: config.SIMULATOR_INTERVAL_MS, log, boot },
        onAcknowledged: () => acknowledged.inc(),
      }),
    );
    metrics.gauge(
      'connected',
      'Pretend devices with a connection.',
      [],
      () => devices.filter((one) => one.connected).length,
    );
    metrics.gauge(
      'unsent',
      'Samples without an acknowledgement. Rising: the platform does not answer.',
      [],
      () => devices.reduce((sum, one) => sum + one.unsent, 0),
    );
    return {
      async start() {
        for (const device of devices) device.start();
      },
      async stop(deadlineMs) {
        const stopped = Promise.all(devices.map((device) => device.stop()));
        await Promise.race([stopped, sleep(deadlineMs, undefined, { ref: false })]);
        return { abandoned: 0 };
      },
      // A device without a connection is nothing unusual: the simulator itself is ready.
      ready: () => true,
    };
  },
});
