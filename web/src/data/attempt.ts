import { useRef } from 'react';
import type { CombinedError } from 'urql';

/** One wish of somebody, however often it is sent. */
type Attempt = {
  readonly clientMutationId: string;
  /** When it was sent first, in ms since the epoch. */
  readonly at: number;
};

/**
 * Keeps what is sent again unchanged after silence the same attempt: one that did arrive answers, and nothing is made twice.
 * Whatever was answered, or is sent with a change, begins a new one.
 */
export function useAttempt(): {
  /** The attempt at just this: anything that JSON can say. */
  at(what: unknown): Attempt;
  /** To be told how the platform answered, or that it did not. */
  answered(error: CombinedError | undefined): void;
} {
  const current = useRef<Attempt & { readonly of: string }>(undefined);
  return {
    at(what) {
      const of = JSON.stringify(what);
      if (current.current?.of !== of)
        current.current = { of, clientMutationId: crypto.randomUUID(), at: Date.now() };
      return current.current;
    },
    answered(error) {
      if (!error?.networkError) current.current = undefined;
    },
  };
}
