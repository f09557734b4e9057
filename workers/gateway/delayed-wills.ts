import type { Admission, Will } from './admission.ts';

interface Waiting {
  readonly admission: Admission;
  readonly will: Will;
  readonly dueAt: number;
}

/** Wills of devices that may still come back. */
export interface DelayedWills {
  /** Keeps a will for a while. */
  add(admission: Admission, will: Will, delayMs: number): void;
  /** The device is back, under this epoch: what an earlier session left is not said. */
  cancel(tenant: string, device: string, epoch: bigint): void;
  /** Says what is due. */
  tick(now: number): void;
  /** Says all of it at once. */
  sayAll(): void;
}

/** Keeps up to `maxWaiting` wills; beyond that the one that has waited longest is said early. */
export function createDelayedWills(
  maxWaiting: number,
  say: (admission: Admission, will: Will) => void,
): DelayedWills {
  const waiting = new Map<string, Waiting>();
  const take = (key: string, { admission, will }: Waiting) => {
    waiting.delete(key);
    say(admission, will);
  };

  return {
    add(admission, will, delayMs) {
      const key = `${admission.tenant}/${admission.device}`;
      waiting.delete(key);
      waiting.set(key, { admission, will, dueAt: Date.now() + delayMs });
      if (waiting.size <= maxWaiting) return;
      for (const [oldest, entry] of waiting) {
        take(oldest, entry);
        return;
      }
    },
    cancel(tenant, device, epoch) {
      const key = `${tenant}/${device}`;
      const entry = waiting.get(key);
      if (entry && entry.admission.epoch < epoch) waiting.delete(key);
    },
    tick(now) {
      for (const [key, entry] of waiting) if (entry.dueAt <= now) take(key, entry);
    },
    sayAll() {
      for (const [key, entry] of waiting) take(key, entry);
    },
  };
}
