import type { Operation } from '#api/graphql/context.ts';

/** The longest a timer can wait. */
const MAX_TIMEOUT_MS = 2_147_483_647;

/** Aborts when the viewer's credential ends. */
export function credentialEnd({ viewer }: Operation): AbortSignal {
  const remaining = viewer.expiresAt ? viewer.expiresAt.getTime() - Date.now() : MAX_TIMEOUT_MS;
  return AbortSignal.timeout(Math.min(Math.max(0, remaining), MAX_TIMEOUT_MS));
}
