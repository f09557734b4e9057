/** Runs what it is given one at a time, in the order of the calls; what one of them throws concerns its caller alone. */
export type Lane = <Result>(work: () => Promise<Result>) => Promise<Result>;

export function createLane(): Lane {
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    const result = last.then(work);
    last = result.catch(() => undefined);
    return result;
  };
}
