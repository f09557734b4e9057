import type { ApiKeyRecord } from '#core/auth/viewer.ts';
import type { Logger } from '#core/runtime/logger.ts';

const NOTE_EVERY_MS = 60_000;
const MAX_REMEMBERED = 5_000;

/**
 * Notes when API keys are used: at most once a minute a key, and never in the way of the request. What cannot be written
 * is logged and forgotten.
 */
export function createKeyUse(
  write: (key: ApiKeyRecord) => Promise<void>,
  log: Logger,
): (key: ApiKeyRecord) => void {
  const noted = new Map<number, number>();
  return (key) => {
    const now = Date.now();
    if ((noted.get(key.id) ?? 0) > now - NOTE_EVERY_MS) return;
    noted.delete(key.id);
    if (noted.size >= MAX_REMEMBERED) noted.delete(noted.keys().next().value ?? 0);
    noted.set(key.id, now);
    write(key).catch((error: unknown) => {
      log.warn({ err: error, apiKey: key.id }, 'the use of an API key was not noted');
    });
  };
}
