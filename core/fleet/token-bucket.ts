/**
 * Tokens that come at a steady rate and are kept up to a burst. Kept as the one moment at which it will be full again, so that taking costs
 * an addition (the generic cell rate algorithm, ITU-T I.371). Times are milliseconds since the epoch and never go back.
 */
export class TokenBucket {
  #msPerToken = 0;
  #burstMs = 0;
  #fullAt = 0;

  /** @param perSecond tokens that come; Infinity for no limit  @param burstSeconds as many seconds' tokens are kept */
  constructor(perSecond: number, burstSeconds: number) {
    this.configure(perSecond, burstSeconds);
  }

  /** Changes the rate; what was taken stays taken. */
  configure(perSecond: number, burstSeconds: number): void {
    const msPerToken = 1_000 / perSecond;
    // A burst of less than one token would never let anything through.
    this.#burstMs = Math.max(burstSeconds * 1_000, msPerToken);
    this.#msPerToken = msPerToken;
  }

  /** Takes tokens, also those that are not there yet. @returns the ms until they would have been; 0 when they were */
  take(count: number, now: number): number {
    const from = Math.max(this.#fullAt, now);
    this.#fullAt = from + count * this.#msPerToken;
    const debtMs = this.#fullAt - now - this.#burstMs;
    return Math.max(debtMs, 0);
  }

  /** The ms until `count` tokens are there; 0 when they are. More than a whole burst counts as a burst. */
  wait(count: number, now: number): number {
    const from = Math.max(this.#fullAt, now);
    const costMs = Math.min(count * this.#msPerToken, this.#burstMs);
    const debtMs = from + costMs - now - this.#burstMs;
    return Math.max(debtMs, 0);
  }

  /** Whether it is as if nothing had ever been taken. */
  isFull(now: number): boolean {
    return this.#fullAt <= now;
  }
}
