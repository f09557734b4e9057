import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  countMissing,
  gapsOf,
  MAX_RANGES,
  missingOf,
  NO_SEQUENCE,
  type Observation,
  observe,
  SETTLING_MS,
  type SequenceState,
  settle,
} from './sequences.ts';

const arrived = (...numbers: readonly number[]): Observation[] =>
  numbers.map((seq, index) => ({ seq, at: 1_000 + index }));

const having = (...numbers: readonly number[]): SequenceState => observe(NO_SEQUENCE, arrived(...numbers));

/** With every gap made known. */
const settled = (state: SequenceState): SequenceState => settle(settle(state, 9e11).state, 9e12).state;

/** Numbers close enough to touch, with repetitions, each arriving at a time of its own. */
const observations = fc
  .array(fc.integer({ min: 0, max: 2 * MAX_RANGES - 2 }), { maxLength: 200 })
  .map((numbers) => arrived(...numbers));

/** Any order of the same observations, and how it is cut into calls. */
const shuffled = observations.chain((all) =>
  fc.record({
    all: fc.constant(all),
    order: fc.shuffledSubarray(all, { minLength: all.length, maxLength: all.length }),
    cuts: fc.array(fc.nat({ max: all.length }), { maxLength: 10 }),
  }),
);

const inPieces = (order: readonly Observation[], cuts: readonly number[]): SequenceState => {
  const edges = [0, ...[...cuts].sort((a, b) => a - b), order.length];
  return edges
    .slice(1)
    .reduce((state, edge, index) => observe(state, order.slice(edges[index], edge)), NO_SEQUENCE);
};

const withoutOrder = ({ outOfOrder: _, ...rest }: SequenceState) => rest;

describe('sequences', () => {
  it('finds what is missing, what came again and what came late', () => {
    const state = having(10, 11, 15, 13, 11);
    expect(state).toMatchObject({ received: 4, duplicates: 1, outOfOrder: 1, lastAt: 1_004 });
    expect(gapsOf(state.ranges)).toEqual([
      { from: 12, to: 12, firstSeenAt: 1_002 },
      { from: 14, to: 14, firstSeenAt: 1_002 },
    ]);
    expect(countMissing(state)).toBe(2);
  });

  it('has no gap before the first message of a device', () => {
    expect(gapsOf(having(5_000, 5_001).ranges)).toEqual([]);
  });

  it('makes a gap known only after it has settled, and once', () => {
    const asked = settle(having(1, 5), 5_000);
    expect(asked).toMatchObject({ opened: [], state: { settlesAt: 5_000 + SETTLING_MS } });
    expect(settle(asked.state, 4_999 + SETTLING_MS)).toEqual(asked);
    const settled = settle(asked.state, 5_000 + SETTLING_MS);
    expect(settled.opened).toEqual([{ from: 2, to: 4, firstSeenAt: 1_001 }]);
    expect(settled.state.settlesAt).toBeNull();
    expect(settle(settled.state, 9e12)).toMatchObject({ opened: [], healed: [] });
  });

  it('gives a gap that appears meanwhile its own time', () => {
    const asked = settle(having(1, 5), 2_000).state;
    const more = settle(observe(asked, [{ seq: 9, at: 8_000 }]), 2_000 + SETTLING_MS);
    expect(more.opened).toMatchObject([{ from: 2, to: 4 }]);
    expect(more.state.settlesAt).toBe(2_000 + 2 * SETTLING_MS);
    expect(settle(more.state, 2_000 + 2 * SETTLING_MS).opened).toMatchObject([{ from: 6, to: 8 }]);
  });

  it('heals a known gap when the last of its numbers arrives, in whatever pieces', () => {
    const known = settled(having(1, 5));
    const partly = observe(known, [{ seq: 3, at: 2_000 }]);
    const [gap] = partly.open;
    expect(gap && missingOf(gap, partly.ranges)).toBe(2);
    expect(settle(partly, 9e12)).toMatchObject({ opened: [], healed: [] });
    const whole = observe(partly, [
      { seq: 4, at: 2_001 },
      { seq: 2, at: 2_002 },
    ]);
    expect(settle(whole, 9e12)).toMatchObject({
      opened: [],
      healed: [{ from: 2, to: 4 }],
      state: { open: [] },
    });
  });

  it('never makes a gap known that closes while it settles', () => {
    const asked = settle(having(1, 3), 2_000).state;
    const closed = observe(asked, [{ seq: 2, at: 2_500 }]);
    expect(settle(closed, 9e12)).toMatchObject({ opened: [], healed: [], state: { settlesAt: null } });
  });

  it('comes to the same state for any order, any repetition and any split', () => {
    fc.assert(
      fc.property(shuffled, ({ all, order, cuts }) => {
        expect(withoutOrder(inPieces(order, cuts))).toEqual(withoutOrder(observe(NO_SEQUENCE, all)));
      }),
    );
  });

  it('counts what came late by its arrival: any order in one call, any split of that order', () => {
    fc.assert(
      fc.property(shuffled, ({ all, order, cuts }) => {
        expect(observe(NO_SEQUENCE, order)).toEqual(observe(NO_SEQUENCE, all));
        expect(inPieces(all, cuts)).toEqual(observe(NO_SEQUENCE, all));
      }),
    );
  });

  it('agrees with a set of everything that arrived', () => {
    fc.assert(
      fc.property(observations, (all) => {
        const state = observe(NO_SEQUENCE, all);
        const numbers = new Set(all.map(({ seq }) => seq));
        const held = state.ranges.flatMap(({ from, to }) =>
          Array.from({ length: to - from + 1 }, (_, index) => from + index),
        );
        expect(held).toEqual([...numbers].sort((a, b) => a - b));
        expect(state.received).toBe(numbers.size);
        expect(state.duplicates).toBe(all.length - numbers.size);
        const late = new Set<number>();
        for (const [index, { seq }] of all.entries()) {
          const before = all.slice(0, index).map((each) => each.seq);
          if (!before.includes(seq) && before.some((each) => each > seq)) late.add(seq);
        }
        expect(state.outOfOrder).toBe(late.size);
        for (const gap of gapsOf(state.ranges)) {
          const first = (wanted: (seq: number) => boolean) =>
            Math.min(...all.filter(({ seq }) => wanted(seq)).map(({ at }) => at));
          expect(gap.firstSeenAt).toBe(
            Math.max(
              first((seq) => seq < gap.from),
              first((seq) => seq > gap.to),
            ),
          );
        }
      }),
    );
  });

  it('stays bounded whatever a device sends, and says how much it no longer tells apart', () => {
    const wide = Array.from({ length: 1_000 }, (_, index) => index * 2);
    const state = observe(NO_SEQUENCE, arrived(...wide));
    expect(state.ranges).toHaveLength(MAX_RANGES);
    expect(state).toMatchObject({ received: 1_000, floor: (1_000 - MAX_RANGES) * 2 });
    expect(countMissing(state)).toBe(999);
    const below = observe(state, [{ seq: 1, at: 9_000 }]);
    expect(below).toMatchObject({ received: 1_001, outOfOrder: 1, floor: state.floor });
    expect(JSON.stringify(settled(below)).length).toBeLessThan(10_000);
  });
});
