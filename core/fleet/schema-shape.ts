import { type PathProblem, plainJsonProblem } from './plain-json.ts';
import { type JsonSchema, TEMPLATE_LIMITS } from './templates.ts';

/** What a keyword of draft 2020-12 holds. Whatever is not here is refused, so that a slip of the pen is not taken for a rule. */
type Holds = 'SCHEMA' | 'SCHEMAS' | 'SCHEMA_MAP' | 'DATA';

const KEYWORDS: ReadonlyMap<string, Holds> = new Map<string, Holds>([
  ...holding('SCHEMA', 'additionalProperties unevaluatedProperties unevaluatedItems items contains'),
  ...holding('SCHEMA', 'not if then else propertyNames'),
  ...holding('SCHEMAS', 'allOf anyOf oneOf prefixItems'),
  ...holding('SCHEMA_MAP', 'properties patternProperties dependentSchemas $defs'),
  ...holding('DATA', '$schema $ref $comment type enum const multipleOf maximum exclusiveMaximum minimum'),
  ...holding('DATA', 'exclusiveMinimum maxLength minLength pattern maxItems minItems uniqueItems'),
  ...holding('DATA', 'maxContains minContains maxProperties minProperties required dependentRequired'),
  ...holding('DATA', 'format title description default deprecated readOnly writeOnly examples'),
]);

/** Why keywords that the draft has are refused all the same. */
const REFUSED: ReadonlyMap<string, string> = new Map([
  ['$id', 'must not be given: a schema of a template is reached by its command alone'],
  ...['$anchor', '$dynamicAnchor', '$dynamicRef'].map((keyword): [string, string] => [
    keyword,
    'must not be used: refer with $ref to #/$defs/…',
  ]),
]);

const DRAFT = 'https://json-schema.org/draft/2020-12/schema';
const MAX_PATTERN = 256;
/** Parts of a schema with every reference written out; see `schemaWeight`. */
const MAX_WEIGHT = 1_000;
const MAX_PROBLEMS = 100;

/** Everything wrong with the shape of a schema, whether it could be compiled or not. */
export function schemaProblems(
  schema: JsonSchema,
  isPattern: (text: string) => boolean,
): readonly PathProblem[] {
  const unfit = plainJsonProblem(schema);
  if (unfit) return [unfit];
  if (Buffer.byteLength(JSON.stringify(schema)) > TEMPLATE_LIMITS.schemaBytes)
    return [{ path: [], message: `must have at most ${TEMPLATE_LIMITS.schemaBytes} bytes` }];
  const problems: PathProblem[] =
    schema['type'] === 'object' ? [] : [{ path: ['type'], message: 'must be "object"' }];
  for (const part of partsOf(schema, [])) problems.push(...partProblems(schema, part, isPattern));
  if (problems.length > 0) return problems.slice(0, MAX_PROBLEMS);
  const weight = schemaWeight(schema);
  if (weight === Number.POSITIVE_INFINITY)
    return [{ path: [], message: 'must not refer to itself: checking a value would have no end' }];
  if (weight <= MAX_WEIGHT) return [];
  const message = `is too heavy: ${weight} of at most ${MAX_WEIGHT} with every reference written out`;
  return [{ path: [], message }];
}

/**
 * What one value costs to check: each schema counts 1, a pattern 10, `uniqueItems` 100, and a reference what it refers to. Infinite for a
 * schema that refers to itself.
 */
export function schemaWeight(root: JsonSchema): number {
  const known = new Map<unknown, number>();
  const weigh = (schema: unknown): number => {
    if (!isObject(schema)) return 1;
    const before = known.get(schema);
    if (before !== undefined) return before;
    known.set(schema, Number.POSITIVE_INFINITY);
    const parts = [...childrenOf(schema)].filter(({ keyword }) => keyword !== '$defs');
    const target = typeof schema['$ref'] === 'string' ? resolve(root, schema['$ref']) : undefined;
    const patterns =
      Object.keys(objectOr(schema['patternProperties'])).length + ('pattern' in schema ? 1 : 0);
    const own = 1 + 10 * patterns + (schema['uniqueItems'] === true ? 100 : 0);
    const weight =
      own +
      parts.reduce((sum, part) => sum + weigh(part.schema), 0) +
      (target === undefined ? 0 : weigh(target));
    known.set(schema, weight);
    return weight;
  };
  return weigh(root);
}

interface Part {
  readonly schema: unknown;
  readonly path: PathProblem['path'];
}

/** The schema and every schema within it. */
function* partsOf(schema: unknown, path: PathProblem['path']): Generator<Part> {
  yield { schema, path };
  if (!isObject(schema)) return;
  for (const child of childrenOf(schema)) yield* partsOf(child.schema, [...path, ...child.path]);
}

function* childrenOf(
  schema: Readonly<Record<string, unknown>>,
): Generator<{ readonly keyword: string } & Part> {
  for (const [keyword, value] of Object.entries(schema)) {
    const holds = KEYWORDS.get(keyword);
    if (holds === 'SCHEMA') yield { keyword, schema: value, path: [keyword] };
    if (holds === 'SCHEMAS' && Array.isArray(value))
      for (const [index, part] of value.entries()) yield { keyword, schema: part, path: [keyword, index] };
    if (holds === 'SCHEMA_MAP')
      for (const [name, part] of Object.entries(objectOr(value)))
        yield { keyword, schema: part, path: [keyword, name] };
  }
}

function* partProblems(
  root: JsonSchema,
  { schema, path }: Part,
  isPattern: (text: string) => boolean,
): Generator<PathProblem> {
  if (typeof schema === 'boolean') return;
  if (!isObject(schema)) return yield { path, message: 'must be a schema: an object, true or false' };
  const at = (keyword: string, message: string): PathProblem => ({ path: [...path, keyword], message });
  for (const [keyword, value] of Object.entries(schema)) {
    const refused = REFUSED.get(keyword) ?? (KEYWORDS.has(keyword) ? undefined : 'is not a known keyword');
    if (refused !== undefined) yield at(keyword, refused);
    if (KEYWORDS.get(keyword) === 'SCHEMA_MAP' && !isObject(value)) yield at(keyword, 'must be an object');
    if (KEYWORDS.get(keyword) === 'SCHEMAS' && !Array.isArray(value)) yield at(keyword, 'must be a list');
  }
  if ('$schema' in schema && schema['$schema'] !== DRAFT) yield at('$schema', `must be ${DRAFT}`);
  if ('$ref' in schema && resolve(root, schema['$ref']) === undefined)
    yield at('$ref', 'must be #/$defs/ and the name of a definition that is there');
  const patternProblem = (text: unknown): string | undefined => {
    if (typeof text !== 'string') return 'must be text';
    if (text.length > MAX_PATTERN) return `must have at most ${MAX_PATTERN} characters`;
    return isPattern(text)
      ? undefined
      : 'must be a pattern in RE2 syntax (no look-around, no back-references)';
  };
  const problem = 'pattern' in schema ? patternProblem(schema['pattern']) : undefined;
  if (problem) yield at('pattern', problem);
  for (const text of Object.keys(objectOr(schema['patternProperties']))) {
    const wrong = patternProblem(text);
    if (wrong) yield { path: [...path, 'patternProperties', text], message: wrong };
  }
}

/** What a reference names: a definition of the schema itself. */
function resolve(root: JsonSchema, reference: unknown): unknown {
  const [, name] =
    /^#\/\$defs\/([A-Za-z0-9_.-]+)$/.exec(typeof reference === 'string' ? reference : '') ?? [];
  const definitions = objectOr(root['$defs']);
  return name !== undefined && Object.hasOwn(definitions, name) ? definitions[name] : undefined;
}

function holding(holds: Holds, keywords: string): [string, Holds][] {
  return keywords.split(' ').map((keyword) => [keyword, holds]);
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const objectOr = (value: unknown): Readonly<Record<string, unknown>> => (isObject(value) ? value : {});
