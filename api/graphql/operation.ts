import type { Pool } from 'pg';
import { createReadScope, type ReadScope } from '#api/database/read-scope.ts';
import type { Platform } from '#api/platform.ts';
import type { Viewer } from '#core/auth/viewer.ts';
import { FleetgraphError } from '#core/runtime/errors.ts';
import type { Logger } from '#core/runtime/logger.ts';
import type { Operation } from './context.ts';

export interface OperationOptions {
  readonly viewer: Viewer;
  readonly requestId: string;
  readonly ip: string | null;
  readonly log: Logger;
  readonly pool: Pool;
  readonly platform: Platform;
  readonly timeoutMs: number;
  /** Aborted when the caller has gone: cancels what runs and gives the connection back. */
  readonly signal: AbortSignal | undefined;
}

/** Starts the clock of one operation. Nothing is opened before it is needed; `finish` must be called at its end. */
export function createOperation(options: OperationOptions): Operation {
  const { viewer, requestId, ip, log, platform, signal, timeoutMs } = options;
  let deadline = Date.now() + timeoutMs;
  let live = false;
  let finished = false;
  let loaded: object = {};
  let scope: ReadScope | undefined;
  const release = async () => {
    const current = scope;
    scope = undefined;
    signal?.removeEventListener('abort', release);
    await current?.release();
  };
  const open = () => {
    signal?.addEventListener('abort', release, { once: true });
    return createReadScope({ pool: options.pool, tenantId: viewer.tenantId, deadline, signal });
  };
  return {
    viewer,
    requestId,
    ip,
    log,
    signal,
    platform,
    read: {
      rows(statement) {
        if (finished || signal?.aborted) return Promise.reject(new FinishedError());
        scope ??= open();
        return scope.rows(statement);
      },
      release,
    },
    deadline: () => deadline,
    loaded: () => loaded,
    isLive: () => live,
    goLive() {
      live = true;
    },
    refresh() {
      loaded = {};
      if (live) deadline = Date.now() + timeoutMs;
      return scope && release();
    },
    async finish() {
      finished = true;
      await release();
    },
  };
}

/** Nobody waits for what a resolver asked: an error elsewhere has completed the answer, or the caller has gone. */
class FinishedError extends FleetgraphError {
  constructor() {
    super('CANCELLED', 'the operation is over');
  }
}
