import type { Pool } from 'pg';
import { createReadScope, type ReadScope } from '#api/database/read-scope.ts';
import type { Platform } from '#api/platform.ts';
import type { Viewer } from '#core/auth/viewer.ts';
import type { Logger } from '#core/runtime/logger.ts';
import type { Operation } from './context.ts';

export interface OperationOptions {
  readonly viewer: Viewer;
  readonly requestId: string;
  readonly log: Logger;
  readonly pool: Pool;
  readonly platform: Platform;
  readonly timeoutMs: number;
  /** Aborted when the caller has gone: cancels what runs and gives the connection back. */
  readonly signal: AbortSignal | undefined;
  readonly isLive: boolean;
}

/** Starts the clock of one operation. Nothing is opened before it is needed; `refresh` must be called at its end. */
export function createOperation(options: OperationOptions): Operation {
  const { viewer, requestId, log, platform, signal, isLive, timeoutMs } = options;
  let deadline = Date.now() + timeoutMs;
  let loaded: object = {};
  let scope: ReadScope | undefined;
  const read: ReadScope = {
    rows(statement) {
      scope ??= createReadScope({ pool: options.pool, tenantId: viewer.tenantId, deadline, signal });
      return scope.rows(statement);
    },
    async release() {
      const current = scope;
      scope = undefined;
      await current?.release();
    },
  };
  signal?.addEventListener('abort', () => void read.release(), { once: true });
  return {
    viewer,
    requestId,
    log,
    signal,
    platform,
    isLive,
    read,
    deadline: () => deadline,
    loaded: () => loaded,
    async refresh() {
      loaded = {};
      if (isLive) deadline = Date.now() + timeoutMs;
      await read.release();
    },
  };
}
