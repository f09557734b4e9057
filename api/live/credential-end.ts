import type { Operation } from '#api/graphql/context.ts';

/** The longest a timer can wait. */
const MAX_TIMEOUT_MS = 2_147_483_647;

/** Aborts when the viewer's credential ends, besides when the given signal does. */
export function untilCredentialEnds({ viewer }: Operation, signal: AbortSignal): AbortSignal {
  if (!viewer.expiresAt) return signal;
  const remaining = viewer.expiresAt.getTime() - Date.now();
  return AbortSignal.any([signal, AbortSignal.timeout(Math.min(Math.max(0, remaining), MAX_TIMEOUT_MS))]);
}
