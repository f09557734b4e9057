import { expect, it } from 'vitest';
import { exampleReading } from './example-reading.ts';

const blank = {
  ...({ name: '', unit: null, min: null, max: null, precision: null, required: true, values: [] } as const),
  type: 'FLOAT' as const,
};
const metric = (key: string, more: Partial<Parameters<typeof exampleReading>[0][number]> = {}) => ({
  ...blank,
  values: [],
  key,
  ...more,
});

it('sends what fits for every metric that is required', () => {
  expect(
    exampleReading([
      metric('voltage', { min: 0, max: 900 }),
      metric('phases', { type: 'INTEGER', min: 1, max: 4 }),
      metric('level', { max: -5 }),
      metric('any'),
      metric('door', { type: 'ENUM', values: ['open', 'shut'] }),
      metric('on', { type: 'BOOLEAN' }),
      metric('spare', { required: false }),
    ]),
  ).toEqual({ voltage: 450, phases: 3, level: -5, any: 21.5, door: 'open', on: true });
});

it('sends the first three where none is required', () => {
  const keys = ['a', 'b', 'c', 'd'];
  expect(Object.keys(exampleReading(keys.map((key) => metric(key, { required: false }))))).toEqual([
    ...['a', 'b', 'c'],
  ]);
  expect(exampleReading([])).toEqual({});
});
