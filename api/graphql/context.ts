import type { ReadScope } from '#api/database/read-scope.ts';
import type { Platform } from '#api/platform.ts';
import { type Permission, permissionBeyond } from '#core/auth/permissions.ts';
import type { Viewer } from '#core/auth/viewer.ts';
import type { Logger } from '#core/runtime/logger.ts';
import { ForbiddenFault } from './errors.ts';

/** One GraphQL operation in the name of somebody: the context of every resolver, the first argument of every service. */
export interface Operation {
  readonly viewer: Viewer;
  readonly requestId: string;
  /** Where the request came from; null when its connection is gone. */
  readonly ip: string | null;
  readonly log: Logger;
  /** When its time is up, in ms since the epoch. Each event of a subscription has its own. */
  deadline(): number;
  /** Aborted when the caller has gone. */
  readonly signal: AbortSignal | undefined;
  readonly read: ReadScope;
  readonly platform: Platform;
  /** True for a subscription: its events resolve from their own data and the device cache. */
  isLive(): boolean;
  /** Makes it a subscription: every `refresh` begins a new event. */
  goLive(): void;
  /** Stands for everything loaded so far; replaced by `refresh`. */
  loaded(): object;
  /**
   * Forgets what was loaded and ends the read transaction, if there is one: then it is to be waited for. The next read sees
   * what was committed since.
   */
  refresh(): Promise<void> | undefined;
  /** The answer is complete: ends the read transaction, and whatever resolver is still at work gets no other. */
  finish(): Promise<void>;
}

/** Nobody gives away more than they have. @throws ForbiddenFault naming a permission of the role that the viewer lacks */
export function requireGrantable(operation: Operation, wanted: ReadonlySet<Permission>): void {
  const beyond = permissionBeyond(wanted, operation.viewer.permissions);
  if (beyond) throw new ForbiddenFault(beyond);
}

/** @throws ForbiddenFault */
export function requirePermission({ viewer }: Operation, permission: Permission): void {
  if (!viewer.permissions.has(permission)) throw new ForbiddenFault(permission);
}
