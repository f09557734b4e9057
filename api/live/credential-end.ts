import type { Operation } from '#api/graphql/context.ts';

/** The longest a timer can wait. */
const MAX_TIMEOUT_MS = 2_147_483_647;
/** A WebSocket is closed as a whole when its credential ends; this is for what comes by another way. */
const GRACE_MS = 5_000;

/** Aborts five seconds after the end of the viewer's credential, besides when the given signal does. */
export function untilCredentialEnds({ viewer }: Operation, signal: AbortSignal): AbortSignal {
  if (!viewer.expiresAt) return signal;
  const remaining = viewer.expiresAt.getTime() + GRACE_MS - Date.now();
  return AbortSignal.any([signal, AbortSignal.timeout(Math.min(Math.max(0, remaining), MAX_TIMEOUT_MS))]);
}
