import { all, type Sql, type SqlValue, sql } from '#api/database/sql.ts';
import { badInput } from './errors.ts';

export const DEFAULT_PAGE = 25;
export const MAX_PAGE = 100;

export interface PageArgs {
  readonly first?: number | null | undefined;
  readonly after?: string | null | undefined;
  readonly last?: number | null | undefined;
  readonly before?: string | null | undefined;
}

/** One column of a keyset order. The last one must be unique. */
export interface OrderColumn {
  readonly expression: Sql;
  /** PostgreSQL type that a cursor's text is cast to. */
  readonly type: 'text' | 'int' | 'bigint' | 'timestamptz';
}

export interface Keyset {
  /** Names the order, so that a cursor of another one is refused. */
  readonly name: string;
  readonly columns: readonly OrderColumn[];
  readonly descending: boolean;
}

export interface Page<Row> {
  readonly edges: { readonly cursor: string; readonly node: Row }[];
  readonly pageInfo: {
    readonly hasNextPage: boolean;
    readonly hasPreviousPage: boolean;
    readonly startCursor: string | null;
    readonly endCursor: string | null;
  };
}

/** What to append to a query for one page: a condition, an order and a limit. */
export interface PageQuery {
  readonly condition: Sql;
  readonly orderBy: Sql;
  readonly limit: Sql;
  /** Rows of a full page. The query asks for one more, to know whether there are further ones. */
  readonly size: number;
  /** Turns the rows into the page; `keyOf` gives each column's value as text, in the order of the columns. */
  toPage<Row>(rows: readonly Row[], keyOf: (row: Row) => readonly string[]): Page<Row>;
}

/**
 * Keyset pagination by the Relay rules: `first` (default 25, at most 100) after a cursor, or `last` before one.
 * @throws GraphQLError with code BAD_USER_INPUT for arguments that break the rules or a cursor of another list
 */
export function planPage(args: PageArgs, keyset: Keyset): PageQuery {
  const backward = args.last != null;
  if (backward && args.first != null) throw badInput('give either first or last, not both');
  const size = (backward ? args.last : args.first) ?? DEFAULT_PAGE;
  if (size < 1 || size > MAX_PAGE)
    throw badInput(`${backward ? 'last' : 'first'} must be from 1 to ${MAX_PAGE}`);
  const bounds = [
    ...(args.after == null ? [] : [beyond(keyset, readCursor(args.after, keyset), !keyset.descending)]),
    ...(args.before == null ? [] : [beyond(keyset, readCursor(args.before, keyset), keyset.descending)]),
  ];
  const ascending = keyset.descending === backward;
  const order = keyset.columns.map(({ expression }) =>
    ascending ? sql`${expression} asc` : sql`${expression} desc`,
  );
  return {
    condition: all(bounds),
    orderBy: order.reduce((joined, column) => sql`${joined}, ${column}`),
    limit: sql`${size + 1}`,
    size,
    toPage(rows, keyOf) {
      const more = rows.length > size;
      const kept = rows.slice(0, size);
      if (backward) kept.reverse();
      const edges = kept.map((node) => ({ node, cursor: writeCursor(keyset, keyOf(node)) }));
      return {
        edges,
        pageInfo: {
          hasNextPage: backward ? args.before != null : more,
          hasPreviousPage: backward ? more : args.after != null,
          startCursor: edges[0]?.cursor ?? null,
          endCursor: edges.at(-1)?.cursor ?? null,
        },
      };
    },
  };
}

function beyond({ columns }: Keyset, key: readonly string[], greater: boolean): Sql {
  const names = columns
    .map(({ expression }) => expression)
    .reduce((joined, column) => sql`${joined}, ${column}`);
  const values = columns
    .map(({ type }, index) => cast(key[index] ?? '', type))
    .reduce((joined, value) => sql`${joined}, ${value}`);
  return greater ? sql`(${names}) > (${values})` : sql`(${names}) < (${values})`;
}

function cast(value: SqlValue, type: OrderColumn['type']): Sql {
  switch (type) {
    case 'text':
      return sql`${value}::text`;
    case 'int':
      return sql`${value}::int`;
    case 'bigint':
      return sql`${value}::bigint`;
    case 'timestamptz':
      return sql`${value}::timestamptz`;
  }
}

const VALID: Readonly<Record<OrderColumn['type'], (text: string) => boolean>> = {
  text: (text) => !text.includes('\0'),
  int: (text) => /^\d{1,9}$/.test(text) || (/^\d{10}$/.test(text) && Number(text) <= 2_147_483_647),
  bigint: (text) => /^-?\d{1,19}$/.test(text) && BigInt.asIntN(64, BigInt(text)) === BigInt(text),
  timestamptz: (text) => text === '-infinity' || /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(text),
};

function writeCursor(keyset: Keyset, key: readonly string[]): string {
  return Buffer.from(JSON.stringify([keyset.name, ...key])).toString('base64url');
}

function readCursor(cursor: string, keyset: Keyset): string[] {
  const parts = parseList(Buffer.from(cursor, 'base64url').toString());
  const [name, ...key] = parts ?? [];
  const valid =
    name === keyset.name &&
    key.length === keyset.columns.length &&
    keyset.columns.every(({ type }, index) => VALID[type](key[index] ?? ''));
  if (!valid) throw badInput('the cursor does not belong to this list in this order');
  return key;
}

function parseList(text: string): string[] | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return Array.isArray(value) && value.every((part) => typeof part === 'string') ? value : undefined;
  } catch {
    return undefined;
  }
}
