import SchemaBuilder from '@pothos/core';
import ComplexityPlugin from '@pothos/plugin-complexity';
import RelayPlugin from '@pothos/plugin-relay';
import type { Operation } from './context.ts';
import { encodeGlobalId, readGlobalId } from './global-ids.ts';
import { formatInstant, literalToJson, parseInstant, parseText } from './scalars.ts';

export interface SchemaTypes {
  Context: Operation;
  Scalars: {
    ID: { Input: string; Output: string | number };
    DateTime: { Input: Date; Output: Date | number };
    JSON: { Input: unknown; Output: unknown };
    Cursor: { Input: string; Output: string };
  };
  DefaultFieldNullability: false;
  DefaultEdgesNullability: { list: false; items: false };
  DefaultNodeNullability: false;
  /** `count` is what `totalCount` asks, where a connection has it. */
  Connection: { readonly count?: () => Promise<number> };
}

/**
 * Where every type of the schema is defined. Fields are non-null unless they say otherwise. A field costs 1, a list
 * its items once; connections multiply by their page size (see `graphql/cost.ts`).
 */
export const builder = new SchemaBuilder<SchemaTypes>({
  plugins: [RelayPlugin, ComplexityPlugin],
  defaultFieldNullability: false,
  complexity: { defaultComplexity: 1, defaultListMultiplier: 1, disabled: true },
  relay: {
    cursorType: 'String',
    nodeTypeOptions: { description: 'Anything with an id of its own. `node` finds it again by that id.' },
    idFieldOptions: { description: 'Opaque, unique across all types.' },
    nodeQueryOptions: false,
    nodesQueryOptions: false,
    pageInfoTypeOptions: { description: 'Where a page of a connection lies in the whole list.' },
    hasNextPageFieldOptions: { description: 'Whether there is more behind this page.' },
    hasPreviousPageFieldOptions: { description: 'Whether there is more before this page.' },
    startCursorFieldOptions: { description: 'Cursor of the first edge; null when the page is empty.' },
    endCursorFieldOptions: { description: 'Cursor of the last edge; null when the page is empty.' },
    firstArgOptions: { description: 'Size of the page, from the front. Default 25, at most 100.' },
    afterArgOptions: { description: 'Only what comes behind this cursor.' },
    lastArgOptions: { description: 'Size of the page, from the back. At most 100.' },
    beforeArgOptions: { description: 'Only what comes before this cursor.' },
    edgesFieldOptions: {
      description: 'The items of this page, each with its cursor.',
      nullable: { list: false, items: false },
    },
    nodesFieldOptions: { description: 'The items of this page, in the same order as `edges`.' },
    nodeFieldOptions: { description: 'The item.', nullable: false },
    cursorFieldOptions: {
      description: 'Where this item lies in the list; hand it back as `after` or `before`.',
    },
    pageInfoFieldOptions: { description: 'Where this page lies in the whole list.' },
    nodesOnConnection: { description: 'The items of this page, in the same order as `edges`.' },
    encodeGlobalID: (typename, id) => encodeGlobalId(typename, id),
    decodeGlobalID: (globalId) => readGlobalId(globalId) ?? { typename: '', id: '' },
  },
});

builder.queryType({ description: 'What can be asked. Everything belongs to the tenant of the viewer.' });
builder.mutationType({
  description: 'What can be changed. Refusals that a caller can act on are members of the result.',
});
builder.subscriptionType({
  description: 'What can be followed live. Every event has a cursor to resume from.',
});

builder.scalarType('DateTime', {
  description: 'An instant, ISO-8601 with milliseconds, UTC.',
  serialize: formatInstant,
  parseValue: parseInstant,
});
builder.scalarType('JSON', {
  description: 'A JSON value whose shape belongs to the user (metric values, attributes).',
  serialize: (value) => value,
  parseValue: (value) => value,
  parseLiteral: literalToJson,
});
builder.scalarType('Cursor', {
  description:
    'An opaque position in the live stream. Hand it back as `after` to continue exactly behind it.',
  serialize: parseText,
  parseValue: parseText,
});
