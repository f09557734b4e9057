import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Bus, openBus } from '#core/bus/connect.ts';
import { DEFAULT_STREAM_LIMITS, type StreamLimits } from '#core/bus/streams.ts';
import { createLogger } from '#core/runtime/logger.ts';
import { type NatsServer, openNats } from '#standalone/nats.ts';
import { freePort } from '#standalone/ports.ts';

export const quiet = createLogger('test', process.env['TEST_LOG_LEVEL'] ?? 'silent');

const MIB = 1024 * 1024;

/** A nats-server with JetStream of one's own; disposing stops it and forgets its streams. */
export async function openTestNats(): Promise<NatsServer> {
  const folder = mkdtempSync(join(tmpdir(), 'fleetgraph-nats-'));
  const server = await openNats({
    dataDir: folder,
    port: await freePort(),
    monitorPort: await freePort(),
    logFile: join(folder, 'nats.log'),
    maxStoreBytes: 12_000 * MIB,
  });
  return {
    ...server,
    async [Symbol.asyncDispose]() {
      await server.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** A connection to it with every stream in place. */
export async function openTestBus(
  server: NatsServer,
  limits: Partial<StreamLimits> = {},
): Promise<Bus & AsyncDisposable> {
  const bus = await openBus({
    url: server.url,
    name: 'test',
    log: quiet,
    limits: { ...DEFAULT_STREAM_LIMITS, telemetryMaxBytes: 1024 * MIB, eventsMaxBytes: 512 * MIB, ...limits },
  });
  return { ...bus, [Symbol.asyncDispose]: () => bus.close() };
}
