/**
 * Runs a generator that waits for things: `return` aborts its signal first, so that it ends at once instead of at the
 * next event. The outer signal aborts it too.
 */
export function abortable<Item>(
  run: (signal: AbortSignal) => AsyncGenerator<Item>,
  outer: AbortSignal | undefined,
): AsyncGenerator<Item, void, void> {
  const aborter = new AbortController();
  const signal = outer ? AbortSignal.any([aborter.signal, outer]) : aborter.signal;
  const generator = run(signal);
  const finish = async () => {
    aborter.abort();
    await generator.return(undefined);
  };
  return {
    next: () => generator.next(),
    async return() {
      await finish();
      return { done: true, value: undefined };
    },
    async throw(error) {
      await finish();
      throw error;
    },
    [Symbol.asyncIterator]() {
      return this;
    },
    [Symbol.asyncDispose]: finish,
  };
}
