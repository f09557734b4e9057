import { buildSchema, parse, validate } from 'graphql';
import { describe, expect, it } from 'vitest';
import { documentLimitsRule, findOperation, isAboutSchema } from './limits.ts';

const schema = buildSchema('type Query { a: Query b: Int }');
const complaints = (document: string) =>
  validate(schema, parse(document), [documentLimitsRule]).map(({ message }) => message);
const nested = (depth: number) => `{ ${'a { '.repeat(depth - 1)} b ${'}'.repeat(depth - 1)} }`;

describe('document limits', () => {
  it('allow twelve levels and refuse thirteen, through fragments too', () => {
    expect(complaints(nested(12))).toEqual([]);
    expect(complaints(nested(13))).toEqual(['the operation nests 13 fields; at most 12 are allowed']);
    const spread = `{ a { a { a { a { a { ...F } } } } } } fragment F on Query ${nested(8)}`;
    expect(complaints(spread)).toEqual(['the operation nests 13 fields; at most 12 are allowed']);
  });

  it('count aliases where a fragment is spread, and do not mind a fragment that spreads itself', () => {
    const aliases = Array.from({ length: 10 }, (_, n) => `x${n}: b`).join(' ');
    expect(complaints(`{ a { ...F } a { ...F } a { ...F } } fragment F on Query { ${aliases} }`)).toEqual([]);
    expect(
      complaints(`{ a { ...F } a { ...F } a { ...F } y: b } fragment F on Query { ${aliases} }`),
    ).toHaveLength(1);
    expect(complaints('{ ...F } fragment F on Query { b ...F }')).toEqual([]);
  });

  it('measure a document in time that grows with its length, not with what it expands to', () => {
    const fragments = Array.from(
      { length: 60 },
      (_, n) => `fragment F${n} on Query { x: b ...F${n + 1} ...F${n + 1} }`,
    );
    const started = performance.now();
    expect(complaints(`{ ...F0 } ${fragments.join(' ')} fragment F60 on Query { b }`)[0]).toContain(
      'aliases',
    );
    expect(performance.now() - started).toBeLessThan(5_000);
  });
});

describe('operations', () => {
  it('are found by name, or alone', () => {
    const document = parse('query A { b } query B { b }');
    expect(findOperation(document, 'B')?.name?.value).toBe('B');
    expect(findOperation(document, undefined)).toBeUndefined();
    expect(findOperation(parse('{ b }'), undefined)).toBeDefined();
  });

  it.each([
    ['{ __schema { queryType { name } } }', true],
    ['{ ...F } fragment F on Query { __typename }', true],
    ['{ __typename b }', false],
    ['{ ...F } fragment F on Query { b }', false],
  ])('%s about the schema only: %s', (text, expected) => {
    const document = parse(text);
    const operation = findOperation(document, undefined);
    expect(operation && isAboutSchema(operation, document)).toBe(expected);
  });
});
