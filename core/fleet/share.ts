/** What a message without its payload counts for, in bytes. */
export const MESSAGE_BYTES = 64;

/**
 * How much one of many holds of what all use, such as the bytes on their way to the bus. Full at the limit, and no longer at
 * half of it, so that it does not change its mind with every message.
 */
export class Share {
  readonly #limit: number;
  readonly #listeners = new Set<(full: boolean) => void>();
  #held = 0;
  #full = false;

  constructor(limit: number) {
    this.#limit = limit;
  }

  get full(): boolean {
    return this.#full;
  }

  take(amount: number): void {
    this.#held += amount;
    if (this.#full || this.#held < this.#limit) return;
    this.#full = true;
    for (const listener of this.#listeners) listener(true);
  }

  /** What was taken is free again. */
  give(amount: number): void {
    this.#held -= amount;
    if (!this.#full || this.#held > this.#limit / 2) return;
    this.#full = false;
    for (const listener of [...this.#listeners]) {
      // Somebody who goes on may fill it at once.
      if (this.#full) return;
      listener(false);
    }
  }

  /**
   * Calls back whenever it becomes full or is so no longer, and at once where it is full now.
   * @returns a function that ends it
   */
  watch(listener: (full: boolean) => void): () => void {
    this.#listeners.add(listener);
    if (this.#full) listener(true);
    return () => this.#listeners.delete(listener);
  }
}
