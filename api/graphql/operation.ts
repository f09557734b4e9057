import type { Pool } from 'pg';
import { AuthenticationError } from '#core/auth/authentication-error.ts';
import type { Viewer } from '#core/auth/viewer.ts';
import type { Logger } from '#core/runtime/logger.ts';
import { createReadScope, type ReadScope } from '#api/database/read-scope.ts';
import type { Platform } from '#api/platform.ts';
import type { Operation } from './context.ts';

export interface OperationOptions {
  /** Undefined for a request that may only look at the schema. */
  readonly viewer: Viewer | undefined;
  readonly requestId: string;
  readonly log: Logger;
  readonly pool: Pool;
  readonly platform: Platform;
  readonly timeoutMs: number;
  readonly signal: AbortSignal | undefined;
  readonly isLive: boolean;
}

/** Starts the clock of one operation. Nothing is opened before it is needed; `refresh` must be called at its end. */
export function createOperation(options: OperationOptions): Operation {
  const { viewer, requestId, log, platform, signal, isLive, timeoutMs } = options;
  let deadline = Date.now() + timeoutMs;
  let loaded: object = {};
  let scope: ReadScope | undefined;
  const requireViewer = () => {
    if (!viewer) throw new AuthenticationError('sign in, or present an API key');
    return viewer;
  };
  const read: ReadScope = {
    rows(statement) {
      const { tenantId } = requireViewer();
      scope ??= createReadScope({ pool: options.pool, tenantId, deadline, signal });
      return scope.rows(statement);
    },
    async release() {
      const current = scope;
      scope = undefined;
      await current?.release();
    },
  };
  return {
    get viewer() {
      return requireViewer();
    },
    get deadline() {
      return deadline;
    },
    get loaded() {
      return loaded;
    },
    requestId,
    log,
    signal,
    platform,
    isLive,
    read,
    async refresh() {
      loaded = {};
      if (isLive) deadline = Date.now() + timeoutMs;
      await read.release();
    },
  };
}
