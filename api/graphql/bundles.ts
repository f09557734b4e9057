/** The most that comes in one bundle: what somebody holds who waits for a slow socket, beside what waits in its queue. */
export const BUNDLE = 64;

/**
 * A stream of things that often come several at a time. Whoever iterates gets them one by one; whoever asks for bundles gets
 * what is there at once, and pays for waiting once.
 */
export interface Bundled<Item> extends AsyncGenerator<Item, void, void> {
  /** What comes next, at least one; undefined at the end. */
  readonly nextBundle: () => Promise<readonly Item[] | undefined>;
}

/** A stream of bundles, none of them empty. `finish` is what ends it early. */
export function bundled<Item>(
  bundles: AsyncGenerator<readonly Item[]>,
  finish: () => Promise<void>,
): Bundled<Item> {
  let rest: readonly Item[] = [];
  let ended = false;
  const end = () => {
    ended = true;
    return finish();
  };
  const nextBundle = async () => {
    if (ended) return undefined;
    if (rest.length > 0) {
      const left = rest;
      rest = [];
      return left;
    }
    const { done, value } = await bundles.next();
    return done ? undefined : value;
  };
  return {
    nextBundle,
    async next() {
      const [value, ...others] = (await nextBundle()) ?? [];
      rest = others;
      return value === undefined ? { done: true, value: undefined } : { done: false, value };
    },
    async return() {
      await end();
      return { done: true, value: undefined };
    },
    async throw(error) {
      await end();
      throw error;
    },
    [Symbol.asyncIterator]() {
      return this;
    },
    [Symbol.asyncDispose]: end,
  };
}

/** How to take from any stream: what is there at once where that is wanted and it comes in bundles, else one by one. */
export function bundlesOf(
  source: AsyncIterable<unknown> | Bundled<unknown>,
  together: boolean,
): { next(): Promise<readonly unknown[] | undefined>; end(): Promise<unknown> } {
  if (together && 'nextBundle' in source) {
    return { next: source.nextBundle, end: () => source.return() };
  }
  const items = source[Symbol.asyncIterator]();
  return {
    async next() {
      const { done, value } = await items.next();
      return done ? undefined : [value];
    },
    end: async () => items.return?.(),
  };
}
