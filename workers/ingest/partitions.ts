/** Makes sure, once a day and process, that the partitions of the days it is asked for exist. */
export interface Partitions {
  ensure(times: Iterable<number>): Promise<void>;
  /** What is remembered may be there no longer. */
  forget(): void;
}

const DAY_MS = 86_400_000;
/** Far more days than any retention holds; beyond it the memory starts again. */
const MAX_REMEMBERED = 8_192;

/** @param create makes the partitions of these UTC days, `YYYY-MM-DD`, unless they exist */
export function createPartitions(create: (days: readonly string[]) => Promise<void>): Partitions {
  const known = new Set<number>();
  return {
    async ensure(times) {
      const missing = new Set<number>();
      for (const time of times) {
        const day = Math.floor(time / DAY_MS);
        if (!known.has(day)) missing.add(day);
      }
      if (missing.size === 0) return;
      await create(
        [...missing].sort((a, b) => a - b).map((day) => new Date(day * DAY_MS).toISOString().slice(0, 10)),
      );
      if (known.size > MAX_REMEMBERED) known.clear();
      for (const day of missing) known.add(day);
    },
    forget: () => known.clear(),
  };
}
