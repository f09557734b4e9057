import { expect, it } from 'vitest';
import { describeFilter, emptyFilter, moreRule, splitList, toFilter, toFilterValues } from './group-form.ts';

it('keeps every condition of a filter, also those that it has no field for', () => {
  const filter = {
    ...{ search: 'pump', connections: ['OFFLINE'], siteKeys: ['north'], tagsAll: ['a', 'b'] },
    ...{ attributes: { floor: 3 }, hasParent: true },
  };
  const values = toFilterValues(filter);
  expect(JSON.parse(values.more)).toEqual({ attributes: { floor: 3 }, hasParent: true });
  expect(values.tagsAll).toBe('a, b');
  expect(toFilter(values)).toEqual(filter);
  expect(toFilter(emptyFilter)).toEqual({});
  expect(toFilterValues(null)).toEqual(emptyFilter);
});

it('reads lists, checks JSON, and tells a filter in words', () => {
  expect(splitList(' a, b\nb,,c ')).toEqual(['a', 'b', 'c']);
  expect(moreRule('')).toBe(true);
  expect(moreRule('[1]')).not.toBe(true);
  expect(describeFilter({ siteKeys: ['n', 's'], hasParent: true })).toEqual([
    'site: n or s',
    'hasParent: true',
  ]);
});
