import type { Permission } from '#core/auth/permissions.ts';
import type { Viewer } from '#core/auth/viewer.ts';
import type { Logger } from '#core/runtime/logger.ts';
import type { ReadScope } from '#api/database/read-scope.ts';
import type { Writes } from '#api/database/writes.ts';
import type { LiveFeeds } from '#api/live/feeds.ts';
import type { Loaders } from './loaders.ts';
import { ForbiddenFault } from './errors.ts';

/** What clients are told about the deployment. */
export interface PublicAddresses {
  readonly mqttUrl: string;
  readonly httpUrl: string;
}

/** What the whole process has one of. */
export interface Platform {
  readonly writes: Writes;
  readonly live: LiveFeeds;
  readonly addresses: PublicAddresses;
  /** Hashes the secrets of devices. */
  readonly deviceTokenKey: Buffer;
  /** Seals secrets inside remembered results. */
  readonly resultKey: Buffer;
}

/** One GraphQL operation in the name of somebody. Every service takes it first. */
export interface Operation {
  readonly viewer: Viewer;
  readonly requestId: string;
  readonly log: Logger;
  /** When its time is up, in ms since the epoch. A subscription has a new one for each event. */
  readonly deadline: () => number;
  readonly signal: AbortSignal | undefined;
  readonly read: ReadScope;
  readonly loaders: Loaders;
  readonly platform: Platform;
  /** Ends the read transaction and forgets what was loaded; the next read sees what was committed since. */
  refresh(): Promise<void>;
}

/** @throws ForbiddenFault */
export function requirePermission(operation: Operation, permission: Permission): void {
  if (!operation.viewer.permissions.has(permission)) throw new ForbiddenFault(permission);
}
