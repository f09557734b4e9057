import { describe, expect, it } from 'vitest';
import { metricsJson, shapeOf } from './telemetry-shapes.ts';

const readings: readonly Readonly<Record<string, number | boolean | string>>[] = [
  { voltage: 1.5, on: true, a: 'né "\\\n', b: -0 },
  { on: false, voltage: 1e21, a: '', b: 5e-324 },
  { on: false, voltage: 1 },
  { on: false },
  { constructor: 1, toString: 2 },
];

describe('the shape of a reading', () => {
  it('is its names in its own order, whatever was read before', () => {
    for (const metrics of [...readings, ...readings.toReversed()])
      expect(shapeOf(metrics)).toBe(Object.keys(metrics).join());
  });

  it('gives JSON text of the same values, shorter names first', () => {
    for (const metrics of [...readings, ...readings.toReversed()])
      expect(JSON.parse(metricsJson(metrics))).toEqual(JSON.parse(JSON.stringify(metrics)));
    expect(metricsJson({ bb: 1, c: 'x', a: true, aa: 2.5 })).toBe('{"a":true,"c":"x","aa":2.5,"bb":1}');
  });
});
