import { describe, expect, it } from 'vitest';
import { deviceRules, emptyDevice, toCreateInput, toUpdateInput } from './device-form.ts';

describe('creating a device', () => {
  it('sends only what was filled in', () => {
    expect(toCreateInput({ ...emptyDevice, key: ' boiler-1 ' })).toEqual({ key: 'boiler-1' });
  });

  it('turns text into what the API takes', () => {
    const values = {
      ...emptyDevice,
      key: 'b',
      templateKey: 'gateway',
      parentKey: ' g-1 ',
      tags: 'roof, roof , ,north',
      interval: '30',
      latitude: '59.3',
      longitude: '18',
      attributes: '{"a":1}',
    };
    expect(toCreateInput(values)).toEqual({
      key: 'b',
      templateKey: 'gateway',
      parentKey: 'g-1',
      tags: ['roof', 'north'],
      expectedIntervalSeconds: 30,
      location: { latitude: 59.3, longitude: 18 },
      attributes: { a: 1 },
    });
  });
});

it('changes only what was touched; what was emptied becomes null', () => {
  const values = { ...emptyDevice, name: 'Pump', model: '' };
  expect(toUpdateInput(values, new Set(['name', 'model', 'latitude']), { id: 'D1', version: 4 })).toEqual({
    id: 'D1',
    expectedVersion: 4,
    name: 'Pump',
    model: null,
    location: null,
  });
});

it('says what is wrong with a field', () => {
  expect(deviceRules.key('a.b:c_d-1')).toBe(true);
  for (const key of ['', '-a', 'a/b', 'a b', 'a'.repeat(129)])
    expect(deviceRules.key(key)).toBeTypeOf('string');
  expect(deviceRules.interval('2.5')).toBeTypeOf('string');
  expect(deviceRules.attributes('[1]')).toBeTypeOf('string');
  expect(deviceRules.latitude('', { ...emptyDevice, longitude: '18' })).toBeTypeOf('string');
});
