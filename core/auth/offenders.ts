import { Recent } from '../fleet/recent.ts';
import { TokenBucket } from '../fleet/token-bucket.ts';

export interface OffendersOptions {
  /** So many failures cost nothing; mistakes happen. */
  readonly freeFailures: number;
  /** One more costs nothing after so long, in ms. */
  readonly forgivenAfterMs: number;
  /** The longest an answer is held back, in ms. */
  readonly maxDelayMs: number;
  /** Addresses, and as many names, that are remembered; those that failed last. */
  readonly maxOffenders: number;
}

export interface Offenders {
  /**
   * Notes that somebody at this address could not prove to be whom it named.
   * @returns how long to hold back the answer, in ms. The true owner of the name is not concerned: only failures ask here.
   */
  fail(address: string, name: string, now: number): number;
  /** Whether so many have failed at this address lately that one more will be held back. */
  suspects(address: string, now: number): boolean;
  /** Addresses and names that are remembered at present. */
  readonly size: number;
}

/** Who guesses passwords, by address and by name: each further failure takes longer, up to a bound. */
export function createOffenders(options: OffendersOptions): Offenders {
  const { freeFailures, forgivenAfterMs, maxDelayMs } = options;
  const addresses = new Recent<string, TokenBucket>(options.maxOffenders);
  const names = new Recent<string, TokenBucket>(options.maxOffenders);
  const perSecond = 1_000 / forgivenAfterMs;
  const make = () => new TokenBucket(perSecond, freeFailures / perSecond);

  const delayOf = (bucket: TokenBucket, now: number): number => {
    // What would only make the longest delay longer is not written down: it is over when the failures are.
    const delayMs = bucket.wait(1, now);
    return delayMs >= maxDelayMs ? maxDelayMs : bucket.take(1, now);
  };

  return {
    fail(address, name, now) {
      const ofAddress = delayOf(addresses.getOrMake(address, make), now);
      const ofName = delayOf(names.getOrMake(name.slice(0, 256), make), now);
      return Math.min(Math.max(ofAddress, ofName), maxDelayMs);
    },
    suspects: (address, now) => (addresses.get(address)?.wait(1, now) ?? 0) > 0,
    get size() {
      return addresses.size + names.size;
    },
  };
}
