import { describe, expect, it } from 'vitest';
import { sql, toStatement } from '#api/database/sql.ts';
import { type Keyset, planPage } from './paging.ts';

const keyset: Keyset = {
  name: 'things',
  columns: [
    { expression: sql`name`, type: 'text' },
    { expression: sql`id`, type: 'int' },
  ],
  descending: false,
};
const key = (row: { name: string; id: number }) => [row.name, String(row.id)];
const row = (id: number) => ({ name: `n${id}`, id });

describe('planPage', () => {
  it('asks for one more than the page, behind the cursor', () => {
    const first = planPage({ first: 2 }, keyset);
    expect(toStatement(first.limit).values).toEqual([3]);
    const page = first.toPage([row(1), row(2), row(3)], key);
    expect(page.edges.map(({ node }) => node.id)).toEqual([1, 2]);
    expect(page.pageInfo).toMatchObject({ hasNextPage: true, hasPreviousPage: false });
    const next = planPage({ first: 2, after: page.pageInfo.endCursor }, keyset);
    expect(toStatement(next.condition)).toEqual({
      text: '(name, id) > ($1::text, $2::int)',
      values: ['n2', '2'],
    });
  });

  it('reads backward in reverse and turns the page round', () => {
    const last = planPage({ last: 2 }, keyset);
    expect(toStatement(last.orderBy).text).toBe('name desc, id desc');
    const page = last.toPage([row(9), row(8), row(7)], key);
    expect(page.edges.map(({ node }) => node.id)).toEqual([8, 9]);
    expect(page.pageInfo).toMatchObject({ hasNextPage: false, hasPreviousPage: true });
    const before = planPage({ last: 2, before: page.pageInfo.startCursor }, keyset);
    expect(toStatement(before.condition).text).toBe('(name, id) < ($1::text, $2::int)');
  });

  it('turns the comparisons round in a descending order', () => {
    const down = { ...keyset, descending: true };
    const cursor = planPage({}, down).toPage([row(1)], key).pageInfo.endCursor;
    expect(toStatement(planPage({ after: cursor }, down).condition).text).toContain('<');
    expect(toStatement(planPage({ after: cursor }, down).orderBy).text).toBe('name desc, id desc');
  });

  it('refuses a cursor of another list', () => {
    const cursor = planPage({}, keyset).toPage([row(1)], key).pageInfo.endCursor;
    expect(() => planPage({ after: cursor }, { ...keyset, name: 'others' })).toThrow('does not belong');
  });
});
