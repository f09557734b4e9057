import { setTimeout as sleep } from 'node:timers/promises';

/** Patience with what takes as long as the machine needs; it costs nothing when it comes at once. */
const PATIENCE_MS = 30_000;
/**
 * What is promised "within a second" may take this long here, since other things keep the machine busy. Whoever breaks the promise
 * waits for the end of a cache or for a sweep, ten seconds at least.
 */
export const PROMPT_MS = 6_000;
const POLL_MS = 20;

/**
 * Asks until the answer is neither undefined, null nor false, and returns it.
 * @throws Error saying what was waited for after `timeoutMs` (default 30 000); while the machine stands still no time passes
 */
export async function until<Answer>(
  what: string,
  ask: () => Promise<Answer> | Answer,
  timeoutMs = PATIENCE_MS,
): Promise<Exclude<Answer, undefined | null | false>> {
  let deadline = performance.now() + timeoutMs;
  let last: unknown;
  while (performance.now() < deadline) {
    try {
      const answer = await ask();
      if (answer !== undefined && answer !== null && answer !== false) {
        return answer as Exclude<Answer, undefined | null | false>;
      }
    } catch (error) {
      last = error;
    }
    const fellAsleep = performance.now();
    await sleep(POLL_MS);
    deadline += Math.max(0, performance.now() - fellAsleep - 2 * POLL_MS);
  }
  throw new Error(`waited ${timeoutMs} ms for ${what}`, { cause: last });
}

/** As `until`, for what is promised within a second: see PROMPT_MS. */
export const promptly = <Answer>(what: string, ask: () => Promise<Answer> | Answer) =>
  until(what, ask, PROMPT_MS);
