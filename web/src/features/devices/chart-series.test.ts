import { describe, expect, it } from 'vitest';
import { type ChartPoint, clip, findGaps, mergeSeries, pruneLive, toChartNumber } from './chart-series.ts';

const raw = (atMs: number, value: number): ChartPoint => ({
  atMs,
  mean: value,
  min: value,
  max: value,
  count: 1,
});
const gap = (atMs: number): ChartPoint => ({ atMs, mean: null, min: null, max: null, count: 0 });
const live = (atMs: number, value: number, arrivedMs = atMs) => ({ atMs, value, arrivedMs });
const never = Number.POSITIVE_INFINITY;

describe('merging a raw history with live points', () => {
  it('continues the line in order of time, wherever a point belongs', () => {
    const merged = mergeSeries(
      { bucketMs: null, points: [raw(1, 10), raw(3, 30)] },
      [live(4, 40), live(2, 20)],
      never,
    );
    expect(merged.map(({ atMs, mean }) => [atMs, mean])).toEqual([
      [1, 10],
      [2, 20],
      [3, 30],
      [4, 40],
    ]);
  });

  it('draws a point once that history and stream both have', () => {
    const merged = mergeSeries({ bucketMs: null, points: [raw(1, 10)] }, [live(1, 10), live(1, 11)], never);
    expect(merged.map(({ mean }) => mean)).toEqual([10, 11]);
  });

  it('works before the history has arrived', () => {
    expect(mergeSeries(undefined, [live(2, 20)], never)).toEqual([raw(2, 20)]);
  });
});

describe('merging a bucketed history with live points', () => {
  const history = { bucketMs: 10, points: [{ atMs: 105, count: 3, mean: 6, min: 4, max: 8 }] };

  it('folds each live point into the bucket it falls into, aligned as the server aligns', () => {
    expect(mergeSeries(history, [live(114, 10), live(115, 1), live(119, 3)], never)).toEqual([
      { atMs: 105, count: 4, mean: 7, min: 4, max: 10 },
      { atMs: 115, count: 2, mean: 2, min: 1, max: 3 },
    ]);
  });

  it('fills a bucket that was empty', () => {
    expect(mergeSeries({ bucketMs: 10, points: [gap(100)] }, [live(103, 5)], never)).toEqual([
      { ...raw(100, 5) },
    ]);
  });
});

describe('gaps', () => {
  it('appear where the live stream was silent for longer than expected', () => {
    const merged = mergeSeries({ bucketMs: null, points: [raw(0, 1)] }, [live(10, 2), live(200, 3)], 50);
    expect(findGaps(merged)).toEqual([{ fromMs: 10, toMs: 200 }]);
  });

  it('inside the history are the server’s to say', () => {
    const points = [raw(0, 1), raw(200, 2), gap(210), raw(220, 3)];
    expect(findGaps(mergeSeries({ bucketMs: null, points }, [], 50))).toEqual([{ fromMs: 200, toMs: 220 }]);
  });

  it('at either end of the line are not marked', () => {
    expect(findGaps([gap(0), raw(1, 1), gap(2)])).toEqual([]);
  });
});

it('keeps only live points that a new history may lack', () => {
  expect(
    pruneLive([live(1, 1, 90), live(2, 2, 100), live(3, 3, 110)], 100).map(({ value }) => value),
  ).toEqual([2, 3]);
});

it('clips to a range and keeps one neighbour on each side', () => {
  const points = [1, 2, 3, 4, 5, 6].map((at) => raw(at, at));
  expect(clip(points, { fromMs: 3, toMs: 4 }).map(({ atMs }) => atMs)).toEqual([2, 3, 4, 5]);
  expect(clip(points, { fromMs: 10, toMs: 12 }).map(({ atMs }) => atMs)).toEqual([6]);
  expect(clip([], { fromMs: 0, toMs: 1 })).toEqual([]);
});

it('draws numbers and booleans, nothing else', () => {
  expect([1.5, true, false, 'on', null, Number.NaN, {}].map(toChartNumber)).toEqual([
    1.5,
    1,
    0,
    undefined,
    undefined,
    undefined,
    undefined,
  ]);
});
