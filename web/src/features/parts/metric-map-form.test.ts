import { expect, it } from 'vitest';
import { mappingFieldOf, mappingRules, newMapping, toMappings, toMappingValues } from './metric-map-form.ts';

it('reads and writes a metric map without rows that name nothing', () => {
  const map = [{ raw: 't1', metric: 'temperature', scale: 0.1, offset: -40 }];
  expect(toMappings([...toMappingValues(map), newMapping])).toEqual(map);
  expect(toMappings([{ raw: ' a ', metric: 'b', scale: '', offset: '' }])).toEqual([
    { raw: 'a', metric: 'b', scale: 1, offset: 0 },
  ]);
});

it('says what is wrong with a row, and finds the field that the API complains of', () => {
  expect(mappingRules.scale('0')).toBe('A number other than 0.');
  expect(mappingRules.offset('x')).toBe('A number.');
  expect(mappingRules.name('', newMapping)).toBe(true);
  expect(mappingRules.name('', { ...newMapping, metric: 'b' })).not.toBe(true);
  expect(mappingRules.name('1a', undefined)).not.toBe(true);
  expect(mappingFieldOf(['input', 'metricMap', '3', 'metric'])).toBe('map.3.metric');
  expect(mappingFieldOf(['input', 'metricMap', '3'])).toBe('map.3.raw');
  expect(mappingFieldOf(['input', 'name'])).toBeUndefined();
});
