import { TokenBucket } from './token-bucket.ts';

/** How much a tenant and each of its devices may send and how often they may connect. */
export interface Limits {
  readonly messagesPerSecond: number;
  readonly bytesPerSecond: number;
  readonly connectsPerSecond: number;
  readonly deviceMessagesPerSecond: number;
  readonly deviceBytesPerSecond: number;
  readonly deviceConnectsPerSecond: number;
}

/** A deployment's limits for everybody for whom nothing else is written down. */
export interface Plan extends Limits {
  /** This many seconds' worth may come at once after a quiet time. */
  readonly burstSeconds: number;
  /** Over so many processes a tenant's limits are divided; a device has one connection and keeps its own. */
  readonly replicas: number;
}

export const LIMIT_NAMES = [
  'messagesPerSecond',
  'bytesPerSecond',
  'connectsPerSecond',
  'deviceMessagesPerSecond',
  'deviceBytesPerSecond',
  'deviceConnectsPerSecond',
] as const satisfies readonly (keyof Limits)[];

/** The plan with what is written down for a tenant in its place. What is no positive number there, or unknown, is passed over. */
export function limitsOf(plan: Limits, written: unknown): Limits {
  const given = new Map<string, unknown>(Object.entries(written ?? {}));
  const entries = LIMIT_NAMES.map((name) => {
    const value = given.get(name);
    return [name, typeof value === 'number' && value > 0 ? value : plan[name]] as const;
  });
  return { ...plan, ...Object.fromEntries(entries) };
}

/** Messages and their bytes, each with a bucket. */
export class Meter {
  readonly #messages: TokenBucket;
  readonly #bytes: TokenBucket;

  constructor(messagesPerSecond: number, bytesPerSecond: number, burstSeconds: number) {
    this.#messages = new TokenBucket(messagesPerSecond, burstSeconds);
    this.#bytes = new TokenBucket(bytesPerSecond, burstSeconds);
  }

  configure(messagesPerSecond: number, bytesPerSecond: number, burstSeconds: number): void {
    this.#messages.configure(messagesPerSecond, burstSeconds);
    this.#bytes.configure(bytesPerSecond, burstSeconds);
  }

  /** Takes a message in any case. @returns the ms after which the next one may come; 0 for at once */
  take(bytes: number, now: number): number {
    const forMessage = this.#messages.take(1, now);
    const forBytes = this.#bytes.take(bytes, now);
    return Math.max(forMessage, forBytes);
  }

  /** The ms until a message of this length may come. Takes nothing. */
  wait(bytes: number, now: number): number {
    return Math.max(this.#messages.wait(1, now), this.#bytes.wait(bytes, now));
  }

  isFull(now: number): boolean {
    return this.#messages.isFull(now) && this.#bytes.isFull(now);
  }
}
