export interface HearingDeps {
  /** Until when everything devices sent has become events, in ms since the epoch. */
  readonly toldUntil: () => Promise<number>;
  /** Until when all events have been taken into presence; undefined where nobody can say. */
  readonly takenUntil: () => Promise<number | undefined>;
}

/** Knows how far devices have been heard, which is how far their silence can be judged. */
export interface Hearing {
  /**
   * The moment until which everything devices sent is in their presence, in ms since the epoch: of what is on its way between a
   * gateway and the evaluator nobody knows whom it speaks of. Undefined until there is such a moment.
   */
  heardUntil(): Promise<number | undefined>;
}

interface Mark {
  readonly at: number;
  readonly toldUntil: number;
}

export function createHearing({ toldUntil, takenUntil }: HearingDeps): Hearing {
  /** The oldest mark whose events are not all taken yet. */
  let waiting: Mark | undefined;
  let heardUntil: number | undefined;
  return {
    async heardUntil() {
      // In this order: what was told by `at` is among the events that are asked about afterwards.
      const told = await toldUntil();
      const mark = { at: Date.now(), toldUntil: told };
      const taken = (await takenUntil()) ?? Number.NEGATIVE_INFINITY;
      const reached = [mark, waiting].find((each) => each !== undefined && each.at <= taken);
      if (reached) heardUntil = Math.max(heardUntil ?? 0, reached.toldUntil);
      if (reached === mark) waiting = undefined;
      else if (reached || !waiting) waiting = mark;
      return heardUntil;
    },
  };
}
