/** How often something may be tried under a name, for example an address. */
export interface Attempts {
  /** In how many seconds the next attempt comes; undefined where one is left. */
  refusal(name: string, now?: number): number | undefined;
  /** Counts one, also where none was left: then it takes longer until the next. @returns how many are left */
  count(name: string, now?: number): number;
  readonly size: number;
}

interface Bucket {
  tokens: number;
  at: number;
}

/**
 * Token buckets: `perMinute` attempts at once, and as many again evenly over each minute. Remembers the `maxNames` that
 * tried last; a bucket that is forgotten is full.
 */
export function createAttempts(perMinute: number, maxNames: number): Attempts {
  const buckets = new Map<string, Bucket>();
  const perMs = perMinute / 60_000;

  const bucketOf = (name: string, now: number): Bucket => {
    const known = buckets.get(name);
    const refilled = known ? known.tokens + Math.max(0, now - known.at) * perMs : perMinute;
    const bucket = { tokens: Math.min(perMinute, refilled), at: now };
    buckets.delete(name);
    buckets.set(name, bucket);
    if (buckets.size > maxNames) {
      for (const oldest of buckets.keys()) {
        buckets.delete(oldest);
        break;
      }
    }
    return bucket;
  };

  return {
    refusal(name, now = Date.now()) {
      const { tokens } = bucketOf(name, now);
      return tokens >= 1 ? undefined : Math.max(1, Math.ceil((1 - tokens) / perMs / 1_000));
    },
    count(name, now = Date.now()) {
      const bucket = bucketOf(name, now);
      bucket.tokens -= 1;
      return Math.floor(bucket.tokens);
    },
    get size() {
      return buckets.size;
    },
  };
}

/** Under which name an address tries: an IPv6 one goes by its /64, which is one customer's. */
export function attemptName(address: string | null): string {
  if (!address?.includes(':')) return address ?? 'unknown';
  const [head = '', tail = ''] = address.split('%')[0]?.split('::') ?? [];
  const groups = head === '' ? [] : head.split(':');
  const missing = address.includes('::') ? 8 - groups.length - tail.split(':').filter(Boolean).length : 0;
  return [...groups, ...Array<string>(Math.max(0, missing)).fill('0'), ...tail.split(':').filter(Boolean)]
    .slice(0, 4)
    .map((group) => group.toLowerCase().replace(/^0+(?=.)/, ''))
    .join(':');
}
