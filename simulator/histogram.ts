const RESOLUTION_MS = 0.1;
const LONGEST_MS = 120_000;

/** Counts durations in steps of 0.1 ms up to two minutes; longer ones count as two minutes. */
export class Histogram {
  readonly #counts = new Uint32Array(LONGEST_MS / RESOLUTION_MS + 1);
  #count = 0;

  get count(): number {
    return this.#count;
  }

  /** A negative duration, from clocks that differ, counts as none. */
  record(durationMs: number): void {
    const slot = Math.min(this.#counts.length - 1, Math.max(0, Math.round(durationMs / RESOLUTION_MS)));
    this.#counts[slot] = (this.#counts[slot] ?? 0) + 1;
    this.#count += 1;
  }

  /** Forgets everything, as after a warm-up. */
  clear(): void {
    this.#counts.fill(0);
    this.#count = 0;
  }

  /** The duration in milliseconds that a share of all stay within, such as 0.95. NaN without any. */
  percentile(share: number): number {
    if (this.#count === 0) return Number.NaN;
    const wanted = Math.ceil(this.#count * share);
    let seen = 0;
    for (let slot = 0; slot < this.#counts.length; slot++) {
      seen += this.#counts[slot] ?? 0;
      if (seen >= wanted) return slot * RESOLUTION_MS;
    }
    return LONGEST_MS;
  }
}
