/** First pause and longest pause between two attempts to reconnect. */
const baseMs = 300;
const ceilingMs = 15_000;

/**
 * Milliseconds to wait before attempt `attempt` (1 is the first): doubles each time up to 15 s, then spread
 * between half and all of it, so that a fleet of browsers does not return in one instant.
 */
export function reconnectDelayMs(attempt: number, random: () => number = Math.random): number {
  const full = Math.min(ceilingMs, baseMs * 2 ** Math.max(0, attempt - 1));
  return Math.round(full / 2 + (full / 2) * random());
}
