import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compileSchema, findSchemaProblems } from './json-schemas.ts';
import type { JsonSchema } from './templates.ts';

const object = (rest: JsonSchema = {}): JsonSchema => ({ type: 'object', ...rest });
const property = (schema: unknown): JsonSchema => object({ properties: { a: schema } });
const problemOf = (schema: JsonSchema) => {
  const [problem] = findSchemaProblems(schema);
  return problem && `${problem.path.join('/')} ${problem.message}`;
};

describe('JSON Schemas of templates', () => {
  it('says everything that is wrong with a value, and where', () => {
    const check = compileSchema(
      object({
        properties: {
          'load/%': { type: 'number', minimum: 0, maximum: 100 },
          mode: { enum: ['slow', 'fast'] },
          at: { type: 'string', format: 'date-time' },
        },
        required: ['mode'],
        additionalProperties: false,
      }),
    );
    expect(check({ mode: 'slow', 'load/%': 7, at: '2026-11-24T00:00:00Z' })).toEqual([]);
    expect(check({ 'load/%': 101, at: 'soon', more: 1 })).toEqual([
      { path: [], message: "must have required property 'mode'" },
      { path: [], message: 'must not have the property more' },
      { path: ['load/%'], message: 'must be <= 100' },
      { path: ['at'], message: 'must match format "date-time"' },
    ]);
    expect(check({ mode: 'other' })).toEqual([{ path: ['mode'], message: 'must be one of ["slow","fast"]' }]);
  });

  it('follows references to definitions of its own, and refuses every other', () => {
    const schema = object({
      $defs: { percent: { type: 'integer', maximum: 100 } },
      properties: { a: { $ref: '#/$defs/percent' } },
    });
    expect(findSchemaProblems(schema)).toEqual([]);
    expect(compileSchema(schema)({ a: 101 })).toHaveLength(1);
    for (const reference of [
      'https://example.com/s.json',
      'file:///etc/passwd',
      '#',
      '#/$defs/gone',
      'x#/y',
      7,
    ])
      expect(problemOf(property({ $ref: reference }))).toMatch(/^properties\/a\/\$ref must be #\/\$defs/);
    expect(problemOf(object({ $id: 'https://example.com/x' }))).toMatch(/^\$id must not be given/);
    expect(problemOf(property({ $dynamicRef: '#x' }))).toMatch(
      /^properties\/a\/\$dynamicRef must not be used/,
    );
  });

  it('refuses schemas that would make checking endless or costly', () => {
    const doubling = Object.fromEntries(
      Array.from({ length: 30 }, (_, index) => [
        `d${index}`,
        { allOf: [{ $ref: `#/$defs/d${index + 1}` }, { $ref: `#/$defs/d${index + 1}` }] },
      ]),
    );
    expect(
      problemOf(object({ $defs: { ...doubling, d30: true }, properties: { a: { $ref: '#/$defs/d0' } } })),
    ).toMatch(/too heavy/);
    expect(
      problemOf(object({ $defs: { a: { allOf: [{ $ref: '#/$defs/a' }] } }, $ref: '#/$defs/a' })),
    ).toMatch(/must not refer to itself/);
    expect(problemOf(object({ description: 'x'.repeat(20_000) }))).toMatch(/at most 16384 bytes/);
    let deep: unknown = {};
    for (let level = 0; level < 5_000; level++) deep = { not: deep };
    expect(problemOf(property(deep))).toMatch(/at most 32 levels/);
  });

  it('runs patterns in linear time and refuses those that cannot', () => {
    const check = compileSchema(property({ type: 'string', pattern: '^(a+)+$' }));
    const before = performance.now();
    expect(check({ a: `${'a'.repeat(10_000)}!` })).toHaveLength(1);
    expect(performance.now() - before).toBeLessThan(5_000);
    expect(check({ a: 'aaa' })).toEqual([]);
    expect(problemOf(property({ pattern: '(?=a)b' }))).toMatch(
      /^properties\/a\/pattern must be a pattern in RE2/,
    );
    expect(problemOf(property({ pattern: '(a)\\1' }))).toMatch(/RE2/);
    expect(problemOf(property({ pattern: '(' }))).toMatch(/RE2/);
    expect(problemOf(object({ patternProperties: { '(?!x)': true } }))).toMatch(
      /^patternProperties\/\(\?!x\)/,
    );
    expect(problemOf(property({ pattern: 'a'.repeat(257) }))).toMatch(/at most 256 characters/);
  });

  it('refuses values with more parts than may be checked', () => {
    const check = compileSchema(property({ type: 'array', uniqueItems: true }));
    expect(check({ a: Array.from({ length: 500 }, (_, index) => ({ index })) })).toEqual([]);
    expect(check({ a: Array.from({ length: 5_000 }, (_, index) => ({ index })) })[0]?.message).toMatch(
      /too many parts/,
    );
  });

  it('takes no slip of the pen for a rule', () => {
    expect(problemOf(property({ maximun: 3 }))).toBe('properties/a/maximun is not a known keyword');
    expect(problemOf(property({ type: 'strin' }))).toMatch(/^properties\/a\/type /);
    expect(problemOf(property({ format: 'email' }))).toMatch(/unknown format "email"/);
    expect(problemOf({ type: 'array' })).toBe('type must be "object"');
    expect(problemOf({})).toBe('type must be "object"');
    expect(problemOf(object({ properties: [] }))).toBe('properties must be an object');
    expect(problemOf(property(3))).toBe('properties/a must be a schema: an object, true or false');
    expect(problemOf(object({ $schema: 'http://json-schema.org/draft-07/schema#' }))).toMatch(
      /^\$schema must be/,
    );
    expect(problemOf(object({ $schema: 'https://json-schema.org/draft/2020-12/schema' }))).toBeUndefined();
    expect(problemOf(property({ const: 'a\0b' }))).toMatch(/must not hold NUL/);
  });

  it('never throws, whatever it is given', () => {
    const keyword = fc.constantFrom(
      ...['type', 'properties', 'items', 'allOf', '$ref', '$defs', 'pattern', 'patternProperties', 'enum'],
      ...[
        'required',
        'minimum',
        'not',
        'if',
        'uniqueItems',
        'format',
        'const',
        '__proto__',
        'dependentSchemas',
      ],
    );
    const { schema } = fc.letrec((tie) => ({
      schema: fc.dictionary(keyword, tie('part'), { maxKeys: 4 }),
      part: fc.oneof(
        { depthSize: 'small' },
        fc.jsonValue(),
        tie('schema'),
        fc.array(tie('schema'), { maxLength: 3 }),
      ),
    }));
    fc.assert(
      fc.property(schema, fc.jsonValue(), (given, value) => {
        const whole = { ...Object(given), type: 'object' };
        if (findSchemaProblems(whole).length === 0) compileSchema(whole)(value);
      }),
      { numRuns: 300 },
    );
  });
});
