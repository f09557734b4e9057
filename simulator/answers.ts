/** What a pretend device says of itself in its shadow. */
export interface Settings {
  /** Between two samples. */
  readonly sample_interval_ms: number;
}

/** A message from the platform as JSON; undefined for anything that is no object. */
export function readMessage(payload: Buffer): Readonly<Record<string, unknown>> | undefined {
  try {
    const parsed: unknown = JSON.parse(payload.toString('utf8'));
    return isObject(parsed) ? parsed : undefined;
  } catch {
    return undefined;
  }
}

/**
 * What the device is after it was told what it should be: it samples as often as it is asked to, between ten times a second and
 * once a minute, and has no other setting, so that asking for more leaves it diverged.
 */
export function obey(now: Settings, message: Readonly<Record<string, unknown>>): Settings {
  const { desired } = message;
  const wanted = isObject(desired) ? desired['sample_interval_ms'] : undefined;
  const possible = typeof wanted === 'number' && wanted >= 100 && wanted <= 60_000;
  return possible ? { ...now, sample_interval_ms: wanted } : now;
}

/** The answers to a command, in order: it is heard, then done. A message that is no command has none. */
export function answersTo(message: Readonly<Record<string, unknown>>, now: number) {
  const { command_id, type } = message;
  if (typeof command_id !== 'string' || typeof type !== 'string') return [];
  return [
    { command_id, status: 'accepted' },
    { command_id, status: 'ok', details: { done: type, at: new Date(now).toISOString() } },
  ] as const;
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
