import { parse } from 'graphql';
import { describe, expect, it } from 'vitest';
import { costOf } from './cost.ts';
import { findOperation } from './limits.ts';
import { schema } from './schema.ts';

function cost(text: string, variables: Record<string, unknown> = {}): number {
  const document = parse(text);
  const operation = findOperation(document, undefined);
  const found = operation && costOf(schema, document, operation, variables);
  if (found === undefined) throw new Error('no cost');
  return found;
}

describe('cost', () => {
  it('multiplies by the size of the page, given or not', () => {
    const page = (first: number) =>
      cost('query ($n: Int) { devices(first: $n) { nodes { key } } }', { n: first });
    expect(page(100) - page(50)).toBe(page(50) - page(0) + (page(100) - 2 * page(50) + page(0)));
    expect(page(100)).toBeGreaterThan(3 * page(25));
    expect(cost('{ devices { nodes { key } } }')).toBe(page(25));
    expect(cost('{ devices(last: 10) { nodes { key } } }')).toBe(page(10));
  });

  it('counts the total, points and nested pages', () => {
    expect(cost('{ devices { totalCount nodes { key } } }')).toBeGreaterThan(
      cost('{ devices { nodes { key } } }') + 49,
    );
    const series = (points: number) =>
      cost(
        `{ device(by: { key: "x" }) { series(metrics: ["a"], from: "2026-01-01T00:00:00Z", to: "2026-01-02T00:00:00Z", maxPoints: ${points}) { metric } } }`,
      );
    expect(series(10_000)).toBeGreaterThan(5 * series(1_000) - 100);
    expect(
      cost('{ devices(first: 100) { nodes { readings(first: 100) { nodes { id } } } } }'),
    ).toBeGreaterThan(10_000);
  });

  it('lets the pages of the console through', () => {
    const list = `{ devices(first: 100) { totalCount nodes { id key name status tags model firmware site { id key name }
      presence { connection freshness credential lastSeenAt connectionChangedAt } latest { metric value at receivedAt } } } }`;
    expect(cost(list)).toBeLessThan(10_000);
  });

  it('is unknown where the variables do not fit', () => {
    const document = parse('query ($n: Int!) { devices(first: $n) { nodes { key } } }');
    const operation = findOperation(document, undefined);
    expect(operation && costOf(schema, document, operation, {})).toBeUndefined();
  });
});
