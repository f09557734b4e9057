import { type Bundled, bundled } from '#api/graphql/bundles.ts';

/**
 * Runs a generator of bundles that waits for things: `return` aborts its signal first, so that it ends at once instead of at
 * the next event. The outer signal aborts it too.
 */
export function abortable<Item>(
  run: (signal: AbortSignal) => AsyncGenerator<readonly Item[]>,
  outer: AbortSignal | undefined,
): Bundled<Item> {
  const aborter = new AbortController();
  const signal = outer ? AbortSignal.any([aborter.signal, outer]) : aborter.signal;
  const generator = run(signal);
  return bundled(generator, async () => {
    aborter.abort();
    await generator.return(undefined);
  });
}
