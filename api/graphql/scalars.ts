import { Kind, type ValueNode } from 'graphql';
import { createGraphQLError } from 'graphql-yoga';

/** Seconds are optional in ISO 8601; a time zone is not: without one an instant is a guess. */
const INSTANT = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:\d{2})$/;

/** @throws GraphQLError unless the value is an ISO-8601 instant with a time zone */
export function parseInstant(value: unknown): Date {
  if (typeof value === 'string' && INSTANT.test(value)) {
    const instant = new Date(value);
    if (!Number.isNaN(instant.getTime())) return instant;
  }
  throw createGraphQLError('DateTime must be ISO-8601 with a time zone, for example 2026-01-31T12:00:00Z');
}

const MINUTE_MS = 60_000;
/** How far from the epoch an instant can be, in ms. */
const LAST_INSTANT = 8.64e15;
/** Most instants are of the minute of the one before: when it began, and its text up to the seconds. */
let minute = { at: Number.NaN, text: '' };

/** ISO-8601 in UTC with milliseconds. */
export function formatInstant(value: unknown): string {
  const ms = Math.trunc(
    value instanceof Date ? value.getTime() : typeof value === 'number' ? value : Number.NaN,
  );
  if (!(Math.abs(ms) <= LAST_INSTANT)) throw createGraphQLError('not an instant');
  const at = ms - (((ms % MINUTE_MS) + MINUTE_MS) % MINUTE_MS);
  if (at !== minute.at) minute = { at, text: new Date(at).toISOString().slice(0, -'00.000Z'.length) };
  const rest = String(100_000 + ms - at);
  return `${minute.text}${rest.slice(1, 3)}.${rest.slice(3)}Z`;
}

export function parseText(value: unknown): string {
  if (typeof value !== 'string') throw createGraphQLError('must be a string');
  return value;
}

/** The JSON value that a literal in a document stands for. */
export function literalToJson(
  node: ValueNode,
  variables: Readonly<Record<string, unknown>> | null | undefined,
): unknown {
  switch (node.kind) {
    case Kind.NULL:
      return null;
    case Kind.INT:
    case Kind.FLOAT:
      return Number(node.value);
    case Kind.STRING:
    case Kind.BOOLEAN:
    case Kind.ENUM:
      return node.value;
    case Kind.LIST:
      return node.values.map((value) => literalToJson(value, variables));
    case Kind.OBJECT:
      return Object.fromEntries(
        node.fields.map(({ name, value }) => [name.value, literalToJson(value, variables)]),
      );
    case Kind.VARIABLE:
      return variables?.[node.name.value];
  }
}
