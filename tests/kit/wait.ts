import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Asks until the answer is neither undefined, null nor false, and returns it.
 * @throws Error saying what was waited for after `timeoutMs` (default 20 000)
 */
export async function until<Answer>(
  what: string,
  ask: () => Promise<Answer> | Answer,
  timeoutMs = 20_000,
): Promise<Exclude<Answer, undefined | null | false>> {
  const deadline = Date.now() + timeoutMs;
  let last: unknown;
  while (Date.now() < deadline) {
    try {
      const answer = await ask();
      if (answer !== undefined && answer !== null && answer !== false) {
        return answer as Exclude<Answer, undefined | null | false>;
      }
    } catch (error) {
      last = error;
    }
    await sleep(20);
  }
  throw new Error(`waited ${timeoutMs} ms for ${what}`, { cause: last });
}
