import type { QueryResultRow } from 'pg';

/** A piece of SQL with its values. Made by `sql` only, so text never comes from a request. */
export interface Sql {
  readonly strings: readonly string[];
  readonly values: readonly (Sql | SqlValue)[];
}

export type SqlValue =
  | string
  | number
  | boolean
  | Date
  | null
  | Uint8Array
  | readonly string[]
  | readonly number[]
  | readonly (string | null)[];

/** What `pg` takes. */
export interface Statement {
  readonly text: string;
  readonly values: SqlValue[];
}

/** Whatever a statement can be sent through: a read scope, a write transaction, a worker's connection. */
export interface SqlReader {
  rows<Row extends QueryResultRow>(statement: Sql): Promise<Row[]>;
}

/** Every interpolated value becomes a parameter; an interpolated `sql` becomes part of the text. */
export function sql(strings: TemplateStringsArray, ...values: (Sql | SqlValue)[]): Sql {
  return { strings, values };
}

/** The pieces one after the other with `separator` between them; `empty` when there are none. */
export function join(pieces: readonly Sql[], separator: Sql, empty: Sql): Sql {
  const [first, ...rest] = pieces;
  if (!first) return empty;
  return rest.reduce((joined, piece) => sql`${joined}${separator}${piece}`, first);
}

/** Conditions that must all hold; `true` when there are none. */
export const all = (conditions: readonly Sql[]): Sql => join(conditions, sql` and `, sql`true`);

/** Conditions of which one must hold; `false` when there are none. */
export const any = (conditions: readonly Sql[]): Sql =>
  conditions.length === 0 ? sql`false` : sql`(${join(conditions, sql` or `, sql`false`)})`;

/** Numbers the parameters in order of appearance. */
export function toStatement(fragment: Sql): Statement {
  const values: SqlValue[] = [];
  const render = (piece: Sql): string => {
    let text = piece.strings[0] ?? '';
    for (const [index, value] of piece.values.entries()) {
      text += isSql(value) ? render(value) : `$${values.push(value)}`;
      text += piece.strings[index + 1] ?? '';
    }
    return text;
  };
  return { text: render(fragment), values };
}

function isSql(value: Sql | SqlValue): value is Sql {
  return typeof value === 'object' && value !== null && 'strings' in value;
}
