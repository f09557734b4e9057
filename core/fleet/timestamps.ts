const ISO = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?(Z|[+-]\d{2}:?\d{2})?$/;
/** Numbers below this are seconds, from it on milliseconds: in seconds it is the year 5138. */
const MILLISECONDS_FROM = 100_000_000_000;

/**
 * A device's timestamp in milliseconds since the epoch: ISO-8601 (no zone means UTC), epoch seconds or epoch milliseconds.
 * Undefined when it is none of these.
 */
export function readTimestamp(value: unknown): number | undefined {
  if (typeof value === 'number') {
    if (!Number.isFinite(value) || value < 0) return undefined;
    const ms = Math.round(value < MILLISECONDS_FROM ? value * 1_000 : value);
    return ms <= 8.64e15 ? ms : undefined;
  }
  if (typeof value !== 'string') return undefined;
  const match = ISO.exec(value);
  if (!match) return undefined;
  const ms = Date.parse(match[1] ? value : `${value}Z`);
  return Number.isNaN(ms) ? undefined : ms;
}
