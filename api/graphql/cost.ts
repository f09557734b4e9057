import type { FieldComplexityValue } from '@pothos/plugin-complexity';
import { complexityFromQuery } from '@pothos/plugin-complexity';
import { type DocumentNode, type GraphQLSchema, Kind, type OperationDefinitionNode } from 'graphql';
import { DEFAULT_PAGE, MAX_PAGE, type PageArgs } from './paging.ts';

/** Counting a whole list reads all of it. */
export const TOTAL_COUNT_COST = 50;

/** A mutation writes, announces and is remembered. */
export const MUTATION_COST = 20;

/** A page costs what is selected of an item, once for each item it may hold. */
export function pageCost(args: PageArgs): FieldComplexityValue {
  const size = args.first ?? args.last ?? DEFAULT_PAGE;
  return { field: 2, multiplier: Math.min(Math.max(1, size), MAX_PAGE) };
}

/**
 * What an operation costs at most, known before it runs; undefined when its variables do not fit (execution will say
 * so) or it does not say which operation is meant.
 */
export function costOf(
  schema: GraphQLSchema,
  document: DocumentNode,
  operation: OperationDefinitionNode,
  variables: Readonly<Record<string, unknown>>,
): number | undefined {
  const fragments = document.definitions.filter((definition) => definition.kind === Kind.FRAGMENT_DEFINITION);
  try {
    const chosen: DocumentNode = { kind: Kind.DOCUMENT, definitions: [operation, ...fragments] };
    return Math.ceil(complexityFromQuery(chosen, { schema, variables }).complexity);
  } catch {
    return undefined;
  }
}
