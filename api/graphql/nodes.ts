import { resolveNodes } from '@pothos/plugin-relay';
import type { GraphQLResolveInfo, GraphQLSchema } from 'graphql';
import { builder } from './builder.ts';
import type { Operation } from './context.ts';
import { badInput } from './errors.ts';
import { type GlobalId, readGlobalId } from './global-ids.ts';

const MAX_NODES = 100;

builder.queryFields((t) => ({
  node: t.field({
    type: builder.nodeInterfaceRef(),
    nullable: true,
    description: 'The object with this id, or null when there is none that the viewer may see.',
    args: { id: t.arg.id({ required: true, description: 'As given by the `id` field.' }) },
    resolve: async (_root, { id }, operation, info) => (await findNodes([id], operation, info))[0],
  }),
  nodes: t.field({
    type: [builder.nodeInterfaceRef()],
    nullable: { list: false, items: true },
    description: 'The objects with these ids, in the same order; null for each that there is not.',
    args: {
      ids: t.arg.idList({ required: true, description: `As given by \`id\` fields; at most ${MAX_NODES}.` }),
    },
    complexity: { field: 1, multiplier: 10 },
    resolve(_root, { ids }, operation, info) {
      if (ids.length > MAX_NODES) throw badInput(`nodes takes at most ${MAX_NODES} ids`);
      return findNodes(ids, operation, info);
    },
  }),
}));

/** An id that somebody made up may say anything: it is the id of nothing. */
async function findNodes(
  ids: readonly string[],
  operation: Operation,
  info: GraphQLResolveInfo,
): Promise<unknown[]> {
  const nodes = await resolveNodes(
    builder,
    operation,
    info,
    ids.map((id) => readNodeId(id, info.schema)),
  );
  return Promise.all(nodes);
}

function readNodeId(text: string, schema: GraphQLSchema): GlobalId | undefined {
  const id = readGlobalId(text);
  const type = id && schema.getType(id.typename);
  const isNode = type && 'getInterfaces' in type && type.getInterfaces().some(({ name }) => name === 'Node');
  return isNode ? id : undefined;
}
