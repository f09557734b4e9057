/** How one rate went. */
export interface Step {
  readonly rate: number;
  /** Nothing lost, and in the time allowed. */
  readonly held: boolean;
  /** What is to be said of it, without the rate. */
  readonly text: string;
}

const GROWTH = 1.5;
/** The highest rate is known this exactly. */
const EXACTNESS = 1.1;
/** A machine that is busy with something else for a moment must not decide the result. */
const ATTEMPTS = 2;

/**
 * Finds the highest rate that holds: up by half until one does not, twice, then halving the rest until it is known to a tenth.
 * Undefined when even the first does not hold.
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
  let best = await holds(first);
  if (!best) return undefined;
  let beyond = best.rate * GROWTH;
  for (let step = await holds(beyond); step; step = await holds(beyond)) {
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
