import { closeServer, openHealthServer } from './health.ts';
import type { Logger } from './logger.ts';
import type { Metrics } from './metrics.ts';

/** What a process runs. The constructor or factory has no side effect; `start` opens for business. */
export interface Service {
  start(): Promise<void>;
  /** Finishes what is in flight until the deadline, then gives up the rest and says how much that was. */
  stop(deadlineMs: number): Promise<{ abandoned: number }>;
  ready(): boolean;
}

/** Collects what was opened and closes it in reverse order, each step whatever the others did. */
export interface Releaser {
  defer(name: string, close: () => Promise<unknown> | unknown): void;
  release(): Promise<void>;
}

export function createReleaser(log: Logger): Releaser {
  const opened: { name: string; close: () => Promise<unknown> | unknown }[] = [];
  return {
    defer: (name, close) => opened.push({ name, close }),
    async release() {
      for (const { name, close } of opened.splice(0).reverse()) {
        try {
          await close();
        } catch (error) {
          log.error({ err: error, resource: name }, 'could not close');
        }
      }
    },
  };
}

export interface RunOptions {
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly health: { readonly host: string; readonly port: number };
  readonly shutdownDeadlineMs: number;
  /** Opens connections (deferring their close) and builds the service. Fails the process when it throws. */
  readonly open: (releaser: Releaser) => Promise<Service>;
}

/** Beyond its deadline a service that hangs is left behind. */
const STOP_GRACE_MS = 1_000;
const RELEASE_MS = 2_000;

/** What the work gives, or `fallback` when that takes longer. */
async function within<Result>(ms: number, fallback: Result, work: () => Promise<Result>): Promise<Result> {
  const { promise, resolve } = Promise.withResolvers<Result>();
  const timer = setTimeout(resolve, ms, fallback);
  try {
    return await Promise.race([work(), promise]);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Runs one service as a process: health server, signals, graceful stop, truthful exit code.
 * Exits 0 after a clean stop, 1 when starting fails, work was abandoned, or a second signal forces it.
 */
export async function runService(options: RunOptions): Promise<void> {
  const { log, metrics } = options;
  const releaser = createReleaser(log);
  let service: Service | undefined;
  let stopping = false;

  const stop = async (signal: string, code: number) => {
    if (stopping) {
      log.warn({ signal }, 'forced');
      process.exit(1);
    }
    stopping = true;
    log.info({ signal }, 'stopping');
    const outcome = await within(options.shutdownDeadlineMs + STOP_GRACE_MS, { abandoned: -1 }, async () => {
      return service?.stop(options.shutdownDeadlineMs);
    }).catch((error: unknown) => {
      log.error({ err: error }, 'stop failed');
      return { abandoned: -1 };
    });
    await within(RELEASE_MS, undefined, () => releaser.release());
    const abandoned = outcome?.abandoned ?? 0;
    log.info({ abandoned }, 'stopped');
    process.exit(abandoned === 0 ? code : 1);
  };
  process.on('SIGTERM', () => void stop('SIGTERM', 0));
  process.on('SIGINT', () => void stop('SIGINT', 0));
  process.on('uncaughtException', (error) => {
    log.fatal({ err: error }, 'uncaught');
    process.exit(1);
  });

  try {
    const server = await openHealthServer(
      { checks: { service: () => !stopping && (service?.ready() ?? false) }, registry: metrics.registry },
      options.health.host,
      options.health.port,
    );
    releaser.defer('health server', () => closeServer(server));
    service = await options.open(releaser);
    await service.start();
    log.info('ready');
  } catch (error) {
    log.fatal({ err: error }, 'could not start');
    await releaser.release();
    process.exit(1);
  }
}
