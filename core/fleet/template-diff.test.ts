import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compileSchema, findSchemaProblems } from './json-schemas.ts';
import { sameJson } from './plain-json.ts';
import { schemaTakesLess } from './schema-change.ts';
import { parseTemplateDefinition } from './template-definition.ts';
import { diffTemplates, type EntryChange, isBreaking, isEmptyDiff } from './template-diff.ts';
import {
  ENFORCEMENTS,
  METRIC_TYPES,
  SLOT_INTERFACES,
  SLOT_TYPES,
  type TemplateDefinition,
} from './templates.ts';

const base = {
  metrics: [
    { key: 'load', name: 'Load', type: 'FLOAT', unit: '%', min: 0, max: 100 },
    { key: 'mode', name: 'Mode', type: 'ENUM', values: ['slow', 'fast'] },
  ],
  commands: [
    {
      key: 'go',
      name: 'Go',
      params: { type: 'object', properties: { speed: { type: 'integer' } }, additionalProperties: false },
    },
  ],
  slots: [{ key: 'bus', name: 'Bus', type: 'BUS', interface: 'I2C', maxDevices: 8 }],
  expectedIntervalSeconds: 60,
};
const definition = parseTemplateDefinition;
const diff = (after: object) => diffTemplates(definition(base), definition({ ...base, ...after }));
const [load, mode] = base.metrics;
const [go] = base.commands;
const [bus] = base.slots;

/** What a change of the first entry breaks; undefined where nothing has changed. */
const breaks = (part: 'metrics' | 'commands' | 'slots', entry: object) =>
  diff({ [part]: [entry, ...base[part].slice(1)] })[part][0]?.breaking;

describe('the difference between two definitions', () => {
  it('names what came, went and changed, with before and after', () => {
    const found = diff({
      metrics: [
        { ...load, name: 'Load now', max: 120 },
        { key: 'extra', name: 'Extra', type: 'STRING' },
      ],
      unknownMetrics: 'QUARANTINE',
    });
    expect(found.metrics).toMatchObject([
      { key: 'load', fields: ['name', 'max'], before: { max: 100 }, after: { max: 120 }, breaking: [] },
      { key: 'extra', fields: [], before: null, after: { type: 'STRING' }, breaking: [] },
      { key: 'mode', fields: [], before: { type: 'ENUM' }, after: null, breaking: ['it is gone'] },
    ]);
    expect(found.settings).toEqual([
      {
        setting: 'unknownMetrics',
        before: 'ACCEPT',
        after: 'QUARANTINE',
        breaking: ['what was ACCEPT is QUARANTINE now'],
      },
    ]);
    expect([found.commands, found.slots, isBreaking(found), isEmptyDiff(found)]).toEqual([
      [],
      [],
      true,
      false,
    ]);
  });

  it('is empty between equals, whatever the order of entries', () => {
    const found = diff({ metrics: [mode, load] });
    expect(found).toEqual({ metrics: [], commands: [], slots: [], settings: [] });
    expect([isBreaking(found), isEmptyDiff(found)]).toEqual([false, true]);
  });

  it('knows which changes of a metric break something', () => {
    expect(breaks('metrics', { ...load, min: -10, max: null, precision: 2 })).toEqual([]);
    expect(breaks('metrics', { ...load, min: 10 })).toEqual(['values below 10 are no longer valid']);
    expect(breaks('metrics', { ...load, max: 90 })).toEqual(['values above 90 are no longer valid']);
    expect(breaks('metrics', { ...load, type: 'INTEGER' })).toEqual(['its type is INTEGER instead of FLOAT']);
    expect(breaks('metrics', { ...load, unit: '1' })).toEqual(['its unit is another one']);
    expect(breaks('metrics', { ...load, required: true })).toEqual([
      'devices are not well without it any more',
    ]);
    const values = (given: string[]) =>
      diff({ metrics: [load, { ...mode, values: given }] }).metrics[0]?.breaking;
    expect(values(['fast', 'slow', 'off'])).toEqual([]);
    expect(values(['fast', 'off'])).toEqual(['no longer valid: slow']);
    const added = { key: 'new', name: 'New', type: 'FLOAT', required: true };
    expect(isBreaking(diff({ metrics: [...base.metrics, added] }))).toBe(true);
  });

  it('knows which changes of a command break something', () => {
    const params = (speed: object, rest: object = {}) =>
      breaks('commands', {
        ...go,
        params: { type: 'object', properties: { speed }, additionalProperties: false, ...rest },
      });
    expect(params({ type: 'integer', description: 'km/h' })).toEqual([]);
    expect(params({ type: 'integer', maximum: 9 })).toEqual([
      'parameters that were valid may not be any more',
    ]);
    expect(params({ type: 'integer' }, { required: ['speed'] })).toHaveLength(1);
    expect(breaks('commands', { ...go, params: null })).toEqual(['it takes no parameters any more']);
    expect(breaks('commands', { ...go, response: { type: 'object' } })).toEqual([
      'answers that were valid may not be any more',
    ]);
    expect(isBreaking(diff({ commands: [] }))).toBe(true);
    expect(isBreaking(diff({ commands: [go, { key: 'stop', name: 'Stop' }] }))).toBe(false);
  });

  it('knows which changes of a slot and of the whole break something', () => {
    expect(breaks('slots', { ...bus, maxDevices: 9, name: 'x' })).toEqual([]);
    expect(breaks('slots', { ...bus, maxDevices: 7 })).toEqual(['it takes 7 instead of 8']);
    expect(breaks('slots', { ...bus, interface: 'SPI', type: 'INTERNAL' })).toHaveLength(2);
    expect(breaks('slots', { ...bus, required: true })).toEqual(['it must not be empty any more']);
    expect(breaks('slots', { ...bus, compatibleTemplates: ['a'] })).toEqual(['only a fit it now']);
    const slots = (compatibleTemplates: string[]) => definition({ slots: [{ ...bus, compatibleTemplates }] });
    expect(diffTemplates(slots(['a', 'b']), slots(['b', 'c'])).slots[0]?.breaking).toEqual([
      'no longer fit it: a',
    ]);
    expect(diffTemplates(slots(['a']), slots([])).slots[0]?.breaking).toEqual([]);
    expect(isBreaking(diff({ slots: [] }))).toBe(true);
    expect(isBreaking(diff({ expectedIntervalSeconds: 61 }))).toBe(false);
    expect(isBreaking(diff({ expectedIntervalSeconds: 59 }))).toBe(true);
    expect(isBreaking(diff({ transports: [{ protocol: 'HTTP' }] }))).toBe(false);
    expect(isBreaking(diff({ discoverSensors: false }))).toBe(true);
  });

  it('leads from the one to the other, whatever they are', () => {
    fc.assert(
      fc.property(definitions, definitions, (before, after) => {
        const found = diffTemplates(before, after);
        expect(apply(before.metrics, found.metrics)).toEqual(byKey(after.metrics));
        expect(apply(before.commands, found.commands)).toEqual(byKey(after.commands));
        expect(apply(before.slots, found.slots)).toEqual(byKey(after.slots));
        const settings = Object.fromEntries(found.settings.map(({ setting, after: now }) => [setting, now]));
        const { metrics: _m, commands: _c, slots: _s, ...rest } = after;
        expect({ ...before, ...settings }).toMatchObject(rest);
        expect(isEmptyDiff(diffTemplates(after, after))).toBe(true);
        for (const { before: old, after: now } of found.metrics) expect(sameJson(old, now)).toBe(false);
      }),
    );
  });
});

describe('a changed schema', () => {
  it('is known to take as much as before only where it does', () => {
    let judged = 0;
    fc.assert(
      fc.property(objectSchemas, changes, fc.array(values, { maxLength: 8 }), (before, change, given) => {
        const after = change(before);
        if (schemaTakesLess(before, after)) return;
        if (findSchemaProblems(before).length + findSchemaProblems(after).length > 0) return;
        judged += 1;
        const [old, now] = [compileSchema(before), compileSchema(after)];
        for (const value of given) if (old(value).length === 0) expect(now(value)).toEqual([]);
      }),
      { numRuns: 1_000 },
    );
    expect(judged).toBeGreaterThan(50);
  });
});

const byKey = <Entry extends { readonly key: string }>(entries: readonly Entry[]) =>
  new Map(entries.map((entry) => [entry.key, entry]));

function apply<Entry extends { readonly key: string }>(
  before: readonly Entry[],
  changes: readonly EntryChange<Entry>[],
): Map<string, Entry> {
  const entries = byKey(before);
  for (const { key, after } of changes) {
    if (after) entries.set(key, after);
    else entries.delete(key);
  }
  return entries;
}

const keys = fc.constantFrom('a', 'b', 'c');
const entries = <Entry extends { key: string }>(entry: fc.Arbitrary<Entry>) =>
  fc.uniqueArray(entry, { selector: ({ key }) => key, maxLength: 3 });
const bound = fc.option(fc.integer({ min: -3, max: 3 }));
const property = fc.oneof(
  fc.boolean(),
  fc.record(
    { type: fc.constantFrom('integer', 'string'), minimum: fc.integer({ min: 0, max: 3 }) },
    { requiredKeys: [] },
  ),
  fc.record({ enum: fc.uniqueArray(fc.constantFrom(1, 2, 'x'), { minLength: 1 }) }),
);
const objectSchemas = fc
  .record(
    {
      properties: fc.dictionary(keys, property),
      required: fc.uniqueArray(keys),
      additionalProperties: property,
      patternProperties: fc.dictionary(fc.constantFrom('^a', 'b'), property, { maxKeys: 1 }),
      maxProperties: fc.integer({ min: 0, max: 4 }),
      title: keys,
    },
    { requiredKeys: [] },
  )
  .map((schema) => ({ ...schema, type: 'object' }));
type ObjectSchema = Readonly<Record<string, unknown>> & { readonly type: string };
/** One keyword set to something else, or left out. */
const changes = fc.oneof(
  objectSchemas.map((other: ObjectSchema) => (schema: ObjectSchema): ObjectSchema => {
    const [first] = Object.entries(other);
    return { ...schema, ...(first && Object.fromEntries([first])), type: 'object' };
  }),
  fc.constantFrom('properties', 'required', 'additionalProperties', 'patternProperties', 'maxProperties').map(
    (dropped) =>
      (schema: ObjectSchema): ObjectSchema => ({
        ...Object.fromEntries(Object.entries(schema).filter(([keyword]) => keyword !== dropped)),
        type: 'object',
      }),
  ),
);
const values = fc.dictionary(keys, fc.constantFrom(0, 1, 2, 3, 'x', 'y', null));
const definitions: fc.Arbitrary<TemplateDefinition> = fc.record({
  metrics: entries(
    fc.record({
      key: keys,
      name: keys,
      type: fc.constantFrom(...METRIC_TYPES),
      unit: fc.option(keys),
      min: bound,
      max: bound,
      precision: bound,
      required: fc.boolean(),
      values: fc.uniqueArray(keys),
    }),
  ),
  commands: entries(
    fc.record({
      key: keys,
      name: keys,
      description: keys,
      params: fc.option(objectSchemas),
      response: fc.option(objectSchemas),
    }),
  ),
  slots: entries(
    fc.record({
      key: keys,
      name: keys,
      type: fc.constantFrom(...SLOT_TYPES),
      interface: fc.constantFrom(...SLOT_INTERFACES),
      maxDevices: fc.integer({ min: 1, max: 3 }),
      compatibleTemplates: fc.uniqueArray(keys),
      required: fc.boolean(),
    }),
  ),
  transports: fc.constant([]),
  unknownMetrics: fc.constantFrom(...ENFORCEMENTS),
  invalidValues: fc.constantFrom(...ENFORCEMENTS),
  discoverSensors: fc.boolean(),
  expectedIntervalSeconds: fc.option(fc.integer({ min: 1, max: 99 })),
});
