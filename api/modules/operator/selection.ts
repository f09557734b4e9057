import {
  type FieldNode,
  type GraphQLResolveInfo,
  Kind,
  type SelectionSetNode,
  valueFromASTUntyped,
} from 'graphql';

/** What somebody asks for below a field. */
export interface Selection {
  /** Every field at any depth, for example `tenants.nodes.name`; each once, in the order of the document. */
  readonly fields: readonly string[];
  /** The arguments of the fields right below as they were given, by the names of the fields in the answer. */
  readonly arguments: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

const MAX_FIELDS = 200;

/** Reads the document, fragments and all; a field that a directive leaves out counts as asked for. */
export function readSelection(info: GraphQLResolveInfo): Selection {
  const fields = new Set<string>();
  const given: Record<string, Readonly<Record<string, unknown>>> = {};
  const visit = (set: SelectionSetNode | undefined, path: string) => {
    for (const node of set?.selections ?? []) {
      if (fields.size >= MAX_FIELDS) return;
      if (node.kind === Kind.FRAGMENT_SPREAD) visit(info.fragments[node.name.value]?.selectionSet, path);
      else if (node.kind === Kind.INLINE_FRAGMENT) visit(node.selectionSet, path);
      else if (!node.name.value.startsWith('__')) {
        fields.add(`${path}${node.name.value}`);
        if (path === '') readArguments(node);
        visit(node.selectionSet, `${path}${node.name.value}.`);
      }
    }
  };
  const readArguments = (node: FieldNode) => {
    const values = (node.arguments ?? []).map(({ name, value }): [string, unknown] => [
      name.value,
      valueFromASTUntyped(value, info.variableValues),
    ]);
    if (values.length > 0) given[node.alias?.value ?? node.name.value] = Object.fromEntries(values);
  };
  for (const node of info.fieldNodes) visit(node.selectionSet, '');
  return { fields: [...fields], arguments: given };
}
