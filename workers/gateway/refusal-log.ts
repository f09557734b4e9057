import type { Logger } from '#core/runtime/logger.ts';

/** What is told of one refusal. */
export interface RefusalLine {
  readonly reason: string;
  readonly why: string;
  readonly remote: string;
}

/** Writes refused connects to the log, without letting them flood it. */
export interface RefusalLog {
  note(line: RefusalLine): void;
  /** Says how many were left out since the last time; to be called about once a second. */
  tick(now: number): void;
}

const WINDOW_MS = 10_000;

/** The first `perWindow` of every reason in ten seconds are written in full, the others are counted. */
export function createRefusalLog(log: Logger, perWindow = 20): RefusalLog {
  const counts = new Map<string, number>();
  let startedAt = Date.now();
  return {
    note(line) {
      const count = (counts.get(line.reason) ?? 0) + 1;
      counts.set(line.reason, count);
      if (count <= perWindow) log.info(line, 'connect refused');
    },
    tick(now) {
      if (now - startedAt < WINDOW_MS) return;
      startedAt = now;
      for (const [reason, count] of counts) {
        const more = count - perWindow;
        if (more > 0) log.warn({ reason, more, seconds: WINDOW_MS / 1_000 }, 'more connects were refused');
      }
      counts.clear();
    },
  };
}
