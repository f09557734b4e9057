import {
  astFromValue,
  type GraphQLArgument,
  type GraphQLField,
  type GraphQLObjectType,
  type GraphQLSchema,
  getNamedType,
  isAbstractType,
  isLeafType,
  isObjectType,
  isRequiredArgument,
  print,
} from 'graphql';

/** Arguments by name. */
export type Arguments = Readonly<Record<string, unknown>>;

/** One document that goes down one way through the schema and asks for every leaf at its end. */
export interface Walk {
  /** For people, `devices.nodes.site`. */
  readonly path: string;
  readonly document: string;
}

interface Place {
  readonly type: GraphQLObjectType;
  readonly path: readonly string[];
  /** What surrounds the leaves: opening and closing text. */
  readonly before: string;
  readonly after: string;
}

/**
 * Every way from a root field to a type that is new on the way, breadth first, one document each: together they ask for every
 * field of every type that the root field leads to.
 * @param examples arguments for fields below the root that need some, by `Type.field`
 * @throws Error naming a field that needs an example
 */
export function walksFrom(
  schema: GraphQLSchema,
  operation: 'query' | 'mutation' | 'subscription',
  root: GraphQLField<unknown, unknown>,
  args: Arguments,
  examples: Readonly<Record<string, Arguments>>,
): Walk[] {
  const call = `${root.name}${printArguments(root.name, root.args, args)}`;
  if (isLeafType(getNamedType(root.type))) {
    return [{ path: root.name, document: `${operation} { ${call} }` }];
  }
  const walks: Walk[] = [];
  const seen = new Set<string>();
  let places = enter(schema, root, {
    path: [root.name],
    before: `${operation} { ${call}`,
    after: '}',
  });
  while (places.length > 0) {
    const next: Place[] = [];
    for (const place of places) {
      if (seen.has(place.type.name)) continue;
      seen.add(place.type.name);
      const fields = Object.values(place.type.getFields());
      const leaves = fields
        .filter((field) => isLeafType(getNamedType(field.type)))
        .map((field) => spell(place.type, field, examples));
      const document = `${place.before} __typename ${leaves.join(' ')} ${place.after}`;
      walks.push({ path: place.path.join('.'), document });
      for (const field of fields) {
        if (isLeafType(getNamedType(field.type))) continue;
        const path = [...place.path, field.name];
        const before = `${place.before} __typename ${spell(place.type, field, examples)}`;
        next.push(...enter(schema, field, { path, before, after: place.after }));
      }
    }
    places = next;
  }
  return walks;
}

/** The object types a field may give, each with the text around its own fields. */
function enter(
  schema: GraphQLSchema,
  field: GraphQLField<unknown, unknown>,
  { path, before, after }: Omit<Place, 'type'>,
): Place[] {
  const type = getNamedType(field.type);
  if (isObjectType(type)) return [{ type, path, before: `${before} {`, after: `} ${after}` }];
  if (!isAbstractType(type)) return [];
  return schema.getPossibleTypes(type).map((possible) => ({
    type: possible,
    path: [...path, possible.name],
    before: `${before} { ... on ${possible.name} {`,
    after: `} } ${after}`,
  }));
}

function spell(
  parent: GraphQLObjectType,
  field: GraphQLField<unknown, unknown>,
  examples: Readonly<Record<string, Arguments>>,
): string {
  const name = `${parent.name}.${field.name}`;
  return `${field.name}${printArguments(name, field.args, examples[name] ?? {})}`;
}

function printArguments(field: string, known: readonly GraphQLArgument[], given: Arguments): string {
  const stranger = Object.keys(given).find((name) => !known.some((argument) => argument.name === name));
  if (stranger !== undefined) throw new Error(`${field} has no argument ${stranger}`);
  const printed = known.flatMap((argument) => {
    const value = given[argument.name];
    if (value === undefined) {
      if (isRequiredArgument(argument)) throw new Error(`${field} needs an example of ${argument.name}`);
      return [];
    }
    const literal = astFromValue(value, argument.type);
    if (!literal) throw new Error(`${field}: no literal of ${argument.name}`);
    return [`${argument.name}: ${print(literal)}`];
  });
  return printed.length > 0 ? `(${printed.join(', ')})` : '';
}
