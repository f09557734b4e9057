import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { applyProfile, compileProfile, MEASURING_FAULTS, type ProfileSource } from './measuring.ts';
import type { MetricValue } from './telemetry.ts';
import {
  ENFORCEMENTS,
  type MetricMapping,
  type TemplateDefinition,
  type TemplateMetric,
} from './templates.ts';

const metric = (key: string, over: Partial<TemplateMetric> = {}): TemplateMetric => ({
  ...{ key, name: key, type: 'FLOAT', unit: null, min: null, max: null, precision: null, required: false },
  values: [],
  ...over,
});

const template = (
  metrics: readonly TemplateMetric[],
  over: Partial<TemplateDefinition> = {},
): TemplateDefinition => ({
  ...{ metrics, commands: [], slots: [], transports: [], expectedIntervalSeconds: null },
  ...{ unknownMetrics: 'FLAG', invalidValues: 'FLAG', discoverSensors: false },
  ...over,
});

const mapping = (raw: string, to: string, scale = 1, offset = 0): MetricMapping => ({
  ...{ raw, metric: to, scale, offset },
});

const source = (over: Partial<ProfileSource>): ProfileSource => ({
  ...{ template: undefined, maps: [], modules: [], sensors: [] },
  ...over,
});

/** What becomes of a reading of a device like this. */
const apply = (over: Partial<ProfileSource>, metrics: Readonly<Record<string, MetricValue>>) => {
  const profile = compileProfile(source(over));
  if (!profile) return { metrics, flags: undefined, unknown: undefined };
  const applied = applyProfile(profile, metrics);
  return 'problem' in applied ? applied.problem : applied;
};

const MODELLED = template([
  metric('temperature', { min: -40, max: 85 }),
  metric('count', { type: 'INTEGER', min: 0 }),
  metric('door', { type: 'BOOLEAN' }),
  metric('serial', { type: 'STRING' }),
  metric('mode', { type: 'ENUM', values: ['eco', 'boost'] }),
]);

describe('compileProfile', () => {
  it('is nothing where nothing would change', () => {
    expect(compileProfile(source({}))).toBeUndefined();
    const lenient = template([metric('a', { max: 1 })], {
      unknownMetrics: 'ACCEPT',
      invalidValues: 'ACCEPT',
    });
    expect(compileProfile(source({ template: lenient }))).toBeUndefined();
    const sensor = { metric: 'a', type: 'FLOAT', min: 0, max: 1, values: [] } as const;
    expect(compileProfile(source({ sensors: [sensor] }))).toBeUndefined();
  });

  it('passes over mappings that are none', () => {
    const maps = [[mapping('a b', 'c'), mapping('a', '__proto__'), mapping('a', 'c', Number.NaN)]];
    expect(compileProfile(source({ maps }))).toBeUndefined();
  });
});

describe('applyProfile', () => {
  it.each([
    [
      'takes what is as modelled',
      { temperature: 85, count: 0, door: false, serial: 'x', mode: 'eco' },
      undefined,
    ],
    ['knows no other metric', { humidity: 1 }, { humidity: 'UNKNOWN_METRIC' }],
    ['tells numbers from texts', { temperature: '21' }, { temperature: 'WRONG_TYPE' }],
    ['tells whole numbers', { count: 1.5 }, { count: 'WRONG_TYPE' }],
    ['takes no number for a boolean', { door: 1 }, { door: 'WRONG_TYPE' }],
    ['takes no number for a text', { serial: 7, mode: 7 }, { serial: 'WRONG_TYPE', mode: 'WRONG_TYPE' }],
    [
      'knows the range',
      { temperature: 85.1, count: -1 },
      { temperature: 'OUT_OF_RANGE', count: 'OUT_OF_RANGE' },
    ],
    ['knows the values', { mode: 'off' }, { mode: 'NOT_IN_ENUM' }],
  ])('%s', (_, metrics: Record<string, MetricValue>, flags) => {
    expect(apply({ template: MODELLED }, metrics)).toMatchObject({ metrics, flags });
  });

  it('does with unknown metrics and with invalid values what the template says', () => {
    const told = (unknownMetrics: 'ACCEPT' | 'FLAG' | 'QUARANTINE', invalidValues: typeof unknownMetrics) =>
      apply(
        { template: { ...MODELLED, unknownMetrics, invalidValues } },
        { temperature: 900, humidity: 1, door: true },
      );
    expect(told('ACCEPT', 'FLAG')).toMatchObject({ flags: { temperature: 'OUT_OF_RANGE' } });
    expect(told('FLAG', 'ACCEPT')).toMatchObject({ flags: { humidity: 'UNKNOWN_METRIC' } });
    expect(told('ACCEPT', 'QUARANTINE')).toEqual({
      ...{ reason: 'OUT_OF_RANGE', raw: 'temperature' },
      detail: 'temperature: 900 is not from -40 to 85',
    });
    expect(told('QUARANTINE', 'FLAG')).toMatchObject({ reason: 'UNKNOWN_METRIC', raw: 'humidity' });
  });

  it('renames and scales numbers, and judges what comes of them', () => {
    const maps = [[mapping('t1', 'temperature', 0.1, -10), mapping('d', 'door', 5, 1)]];
    expect(apply({ template: MODELLED, maps }, { t1: 315, d: true, mode: 'eco' })).toEqual({
      ...{ metrics: { temperature: 21.5, door: true, mode: 'eco' }, flags: undefined, unknown: undefined },
    });
    const strict = { ...MODELLED, invalidValues: 'QUARANTINE' } as const;
    expect(apply({ template: strict, maps }, { t1: 3150 })).toEqual({
      ...{ reason: 'OUT_OF_RANGE', raw: 't1' },
      detail: 'temperature (sent as t1): 305 is not from -40 to 85',
    });
  });

  it('takes the map of the device before those of its modules, and the first of those', () => {
    const maps = [[mapping('a', 'own')], [mapping('a', 'b1'), mapping('c', 'c1')], [mapping('c', 'c2')]];
    expect(apply({ maps }, { a: 1, c: 2 })).toMatchObject({ metrics: { own: 1, c1: 2 } });
  });

  it('lets names change places', () => {
    expect(apply({ maps: [[mapping('a', 'b'), mapping('b', 'a')]] }, { a: 1, b: 2 })).toMatchObject({
      metrics: { b: 1, a: 2 },
    });
  });

  it('turns away two values for one metric, and takes the same value twice', () => {
    const maps = [[mapping('t1', 'temperature', 0.1)]];
    for (const metrics of [
      { t1: 215, temperature: 20 },
      { temperature: 20, t1: 215 },
    ])
      expect(apply({ maps }, metrics)).toMatchObject({ reason: 'METRIC_CLASH' });
    expect(apply({ maps }, { t1: 215, temperature: 21.5 })).toMatchObject({ metrics: { temperature: 21.5 } });
    const both = [[mapping('t1', 'temperature'), mapping('t2', 'temperature')]];
    expect(apply({ maps: both }, { t1: 1, t2: 2 })).toMatchObject({ reason: 'METRIC_CLASH', raw: 't2' });
    expect(apply({ maps: [[mapping('a', 'constructor')]] }, { a: 1 })).toMatchObject({
      metrics: { constructor: 1 },
    });
  });

  it('turns away what is no number once it is scaled, whatever the template says', () => {
    expect(apply({ maps: [[mapping('a', 'b', 1e300)]] }, { a: 1e300 })).toMatchObject({
      ...{ reason: 'BAD_VALUE', raw: 'a' },
    });
  });

  it('believes a sensor more than the template, and that more than those of modules', () => {
    const device = {
      template: MODELLED,
      modules: [template([metric('humidity', { min: 0, max: 100 }), metric('temperature', { max: 10 })])],
      sensors: [
        { metric: 'temperature', type: 'FLOAT', min: null, max: 100, values: [] },
        { metric: 'pressure', type: 'INTEGER', min: null, max: null, values: [] },
        { metric: 'mode', type: 'ENUM', min: null, max: null, values: [] },
      ],
    } as const;
    expect(apply(device, { temperature: 99, humidity: 50, pressure: 3, mode: 'eco' })).toMatchObject({
      flags: undefined,
    });
    expect(apply(device, { temperature: -41, humidity: 101, pressure: 0.5, mode: 'x' })).toMatchObject({
      flags: {
        ...{ temperature: 'OUT_OF_RANGE', humidity: 'OUT_OF_RANGE' },
        ...{ pressure: 'WRONG_TYPE', mode: 'NOT_IN_ENUM' },
      },
    });
  });

  it('names what nobody modelled where that is to become a sensor, by the name it is stored under', () => {
    const maps = [[mapping('p', 'pressure')]];
    const finding = { ...MODELLED, discoverSensors: true };
    expect(apply({ template: finding, maps }, { p: 1, temperature: 2, x: 3 })).toMatchObject({
      unknown: ['pressure', 'x'],
    });
    const strict = { ...finding, unknownMetrics: 'QUARANTINE' } as const;
    expect(apply({ template: strict, maps }, { p: 1 })).toMatchObject({ reason: 'UNKNOWN_METRIC', raw: 'p' });
  });

  it('scales whole numbers by powers of ten without noise', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: -1_000_000, max: 1_000_000 }),
        fc.integer({ min: 0, max: 5 }),
        fc.integer({ min: -1_000, max: 1_000 }),
        (raw, digits, offset) => {
          const maps = [[mapping('a', 'b', Number(`1e-${digits}`), offset)]];
          const scaled = Number(`${raw + offset * 10 ** digits}e-${digits}`);
          const applied = apply({ maps }, { a: raw });
          expect('metrics' in applied && applied.metrics['b']).toBe(
            scaled === 0 ? expect.closeTo(0, 20) : scaled,
          );
        },
      ),
    );
  });

  it('keeps every value of a reading that it stores, under its name, whatever the rules', () => {
    const key = fc.constantFrom('a', 'b', 'c', 'd', 'constructor', 'toString');
    const value = fc.oneof(fc.double({ noNaN: true, noDefaultInfinity: true }), fc.boolean(), fc.string());
    const rules = fc.record({
      metrics: fc.uniqueArray(
        fc.record({
          key,
          type: fc.constantFrom('FLOAT', 'INTEGER', 'BOOLEAN', 'STRING', 'ENUM'),
          max: fc.option(fc.integer()),
        }),
        { selector: (each) => each.key },
      ),
      unknownMetrics: fc.constantFrom(...ENFORCEMENTS),
      invalidValues: fc.constantFrom(...ENFORCEMENTS),
      map: fc.uniqueArray(fc.record({ raw: key, metric: key }), { selector: (each) => each.raw }),
    });
    fc.assert(
      fc.property(fc.dictionary(key, value), rules, (metrics, { map, metrics: modelled, ...policies }) => {
        const device = {
          template: template(
            modelled.map(({ key: name, type, max }) => metric(name, { type, max })),
            policies,
          ),
          maps: [map.map(({ raw, metric: to }) => mapping(raw, to))],
        };
        const before = structuredClone(metrics);
        const applied = apply(device, metrics);
        expect(metrics).toEqual(before);
        if ('reason' in applied) return;
        const named = (raw: string) => map.find((each) => each.raw === raw)?.metric ?? raw;
        for (const raw of Object.keys(metrics)) expect(applied.metrics[named(raw)]).toBe(metrics[raw]);
        expect(new Set(Object.keys(applied.metrics))).toEqual(new Set(Object.keys(metrics).map(named)));
        for (const [name, fault] of Object.entries(applied.flags ?? {})) {
          expect(MEASURING_FAULTS).toContain(fault);
          expect(Object.hasOwn(applied.metrics, name)).toBe(true);
          const policy = fault === 'UNKNOWN_METRIC' ? policies.unknownMetrics : policies.invalidValues;
          expect(policy).toBe('FLAG');
        }
      }),
    );
  });
});
