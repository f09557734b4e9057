/** How one rate went. */
export interface Step {
  readonly rate: number;
  /** Nothing lost, and in the time allowed. */
  readonly held: boolean;
  /** What is to be said of it, without the rate. */
  readonly text: string;
}

const GROWTH = 1.5;
/** Below this part of the first rate nothing is tried. */
const LOWEST = 20;
/** The highest rate is known this exactly. */
const EXACTNESS = 1.1;
/** A machine that is busy with something else for a moment must not decide the result. */
const ATTEMPTS = 2;

/**
 * Finds the highest rate that holds: up by half until one does not, twice, or down until one does; then halving the rest until it
 * is known to a tenth. Undefined when not even a twentieth of the first holds.
 */
export async function findPeak(
  first: number,
  measure: (rate: number) => Promise<Step>,
  say: (line: string) => void,
): Promise<Step | undefined> {
  const holds = async (rate: number): Promise<Step | undefined> => {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const step = await measure(Math.round(rate));
      say(
        `${step.rate.toLocaleString('en-US')} msg/s ${step.held ? 'holds' : 'does not hold'}: ${step.text}`,
      );
      if (step.held) return step;
    }
    return undefined;
  };
  let beyond = first * GROWTH;
  let best = await holds(first);
  for (let rate = first / GROWTH; !best && rate > first / LOWEST; rate /= GROWTH) {
    beyond = rate * GROWTH;
    best = await holds(rate);
  }
  if (!best) return undefined;
  for (let step = best.rate < first ? undefined : await holds(beyond); step; step = await holds(beyond)) {
    best = step;
    beyond = best.rate * GROWTH;
  }
  while (beyond / best.rate > EXACTNESS) {
    const rate = Math.sqrt(best.rate * beyond);
    const step = await holds(rate);
    if (step) best = step;
    else beyond = rate;
  }
  return best;
}
