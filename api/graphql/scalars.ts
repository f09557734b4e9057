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

/** ISO-8601 in UTC with milliseconds. */
export function formatInstant(value: unknown): string {
  const instant = value instanceof Date ? value : new Date(typeof value === 'number' ? value : Number.NaN);
  if (Number.isNaN(instant.getTime())) throw createGraphQLError('not an instant');
  return instant.toISOString();
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
