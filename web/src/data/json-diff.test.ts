import { describe, expect, it } from 'vitest';
import { diffJson, isSame, readJsonObject } from './json-diff.ts';

describe('the difference of two JSON values', () => {
  it('names every place, however deep, with what was and what is', () => {
    expect(diffJson({ a: 1, b: { c: 2, d: 3 } }, { b: { c: 4, d: 3 }, e: null })).toEqual([
      { path: ['a'], before: 1, after: undefined },
      { path: ['b', 'c'], before: 2, after: 4 },
      { path: ['e'], before: undefined, after: null },
    ]);
  });

  it('is nothing between values that say the same in another order', () => {
    expect(diffJson({ a: 1, b: [{ c: 1, d: 2 }] }, { b: [{ d: 2, c: 1 }], a: 1 })).toEqual([]);
    expect(isSame([1, 2], [2, 1])).toBe(false);
  });

  it('takes an array, and another kind of value, as a whole', () => {
    expect(diffJson({ a: [1] }, { a: [1, 2] })).toEqual([{ path: ['a'], before: [1], after: [1, 2] }]);
    expect(diffJson({ a: {} }, { a: [] })).toEqual([{ path: ['a'], before: {}, after: [] }]);
  });

  it('does not take inherited names for values', () => {
    expect(diffJson({}, JSON.parse('{"constructor": 1, "__proto__": 2}'))).toEqual([
      { path: ['__proto__'], before: undefined, after: 2 },
      { path: ['constructor'], before: undefined, after: 1 },
    ]);
  });
});

describe('the text of a JSON object', () => {
  it('is read, or what is wrong with it is said', () => {
    expect(readJsonObject('{"a": 1}')).toEqual({ value: { a: 1 } });
    expect(readJsonObject('[1]')).toEqual({ problem: expect.stringContaining('JSON object') });
    expect(readJsonObject('{')).toEqual({ problem: expect.stringMatching(/./) });
  });
});
