import { mkdirSync } from 'node:fs';
import type { Server } from 'node:http';
import { join } from 'node:path';
import { closeServer } from '#core/runtime/health.ts';
import { createLogger } from '#core/runtime/logger.ts';
import { createMetrics } from '#core/runtime/metrics.ts';
import { runService } from '#core/runtime/run-service.ts';
import { readIdentityConfig } from './config.ts';
import { loadKeys } from './keys.ts';
import { buildProvider } from './provider.ts';
import { openGrantStore } from './store.ts';
import { readUsers } from './users.ts';

const config = readIdentityConfig(process.env);
const log = createLogger('identity', config.LOG_LEVEL);

await runService({
  log,
  metrics: createMetrics('identity'),
  health: { host: config.HEALTH_HOST, port: config.HEALTH_PORT },
  shutdownDeadlineMs: 1000,
  async open() {
    mkdirSync(config.IDENTITY_DIR, { recursive: true, mode: 0o700 });
    const keys = await loadKeys(config.IDENTITY_DIR);
    const store = openGrantStore(join(config.IDENTITY_DIR, 'grants.jsonl'));
    const provider = buildProvider({
      config,
      keys,
      store,
      users: () => readUsers(config.IDENTITY_USERS),
      log,
    });
    let server: Server | undefined;
    return {
      async start() {
        server = provider.listen(config.IDENTITY_PORT, config.IDENTITY_HOST);
        const { promise, resolve, reject } = Promise.withResolvers<void>();
        server.once('listening', resolve).once('error', reject);
        await promise;
      },
      async stop() {
        if (server) await closeServer(server);
        return { abandoned: 0 };
      },
      ready: () => server?.listening ?? false,
    };
  },
});
