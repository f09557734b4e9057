import { describe, expect, it } from 'vitest';
import { all, join, sql, toStatement } from './sql.ts';

describe('sql', () => {
  it('makes a parameter of every value and text of every piece', () => {
    const where = all([sql`a = ${1}`, sql`b = any(${['x', 'y']})`]);
    expect(toStatement(sql`select * from t where ${where} limit ${5}`)).toEqual({
      text: 'select * from t where a = $1 and b = any($2) limit $3',
      values: [1, ['x', 'y'], 5],
    });
  });

  it('is true where nothing is asked', () => {
    expect(toStatement(all([])).text).toBe('true');
    expect(toStatement(join([sql`a`], sql`, `, sql`none`)).text).toBe('a');
  });
});
