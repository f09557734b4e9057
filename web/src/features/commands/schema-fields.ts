/** One parameter of a command, as a form can ask for it. Whatever a form cannot ask for is JSON. */
export type SchemaField = {
  readonly key: string;
  readonly label: string;
  readonly hint: string;
  readonly required: boolean;
  readonly kind: 'TEXT' | 'NUMBER' | 'INTEGER' | 'CHOICE' | 'JSON';
  /** The values of a choice. */
  readonly choices: readonly unknown[];
  /** Numbers: the least and the greatest; texts: their length. */
  readonly min: number | undefined;
  readonly max: number | undefined;
  readonly pattern: RegExp | undefined;
  /** As the field begins. */
  readonly initial: string;
};

type Schema = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is Schema =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');
const numberOf = (value: unknown): number | undefined => (typeof value === 'number' ? value : undefined);

/** What says more than its properties do cannot be asked field by field. */
const beyondFields = [
  ...['$ref', 'allOf', 'anyOf', 'oneOf', 'not', 'if', 'patternProperties'],
  ...['dependentRequired', 'dependentSchemas', 'propertyNames', 'minProperties'],
];

/**
 * The parameters of a command by its JSON Schema (draft 2020-12), in the order of the schema. Null takes none.
 * @returns undefined for a schema that only JSON can answer
 */
export function fieldsOf(schema: unknown): readonly SchemaField[] | undefined {
  if (schema === null || schema === undefined) return [];
  if (!isObject(schema) || beyondFields.some((keyword) => keyword in schema)) return undefined;
  const { properties = {}, required = [] } = schema;
  if (!isObject(properties)) return undefined;
  const needed = Array.isArray(required) ? required : [];
  const keys = Object.keys(properties);
  if (keys.length === 0 && schema['additionalProperties'] !== false) return undefined;
  if (needed.some((key) => typeof key !== 'string' || !keys.includes(key))) return undefined;
  return keys.map((key) => fieldOf(key, properties[key], needed.includes(key)));
}

function fieldOf(key: string, schema: unknown, required: boolean): SchemaField {
  const said = isObject(schema) ? schema : {};
  const kind = kindOf(said);
  const numeric = kind === 'NUMBER' || kind === 'INTEGER';
  const initial = said['default'];
  return {
    ...{ key, required, kind },
    label: textOf(said['title']) || key,
    hint: textOf(said['description']),
    choices: choicesOf(said),
    min: numberOf(said[numeric ? 'minimum' : 'minLength']),
    max: numberOf(said[numeric ? 'maximum' : 'maxLength']),
    pattern: patternOf(said['pattern']),
    initial: initial === undefined ? '' : kind === 'TEXT' ? textOf(initial) : JSON.stringify(initial),
  };
}

function choicesOf(schema: Schema): readonly unknown[] {
  if (Array.isArray(schema['enum'])) return schema['enum'];
  if ('const' in schema) return [schema['const']];
  return schema['type'] === 'boolean' ? [true, false] : [];
}

function kindOf(schema: Schema): SchemaField['kind'] {
  if (beyondFields.some((keyword) => keyword in schema)) return 'JSON';
  if (choicesOf(schema).length > 0) return 'CHOICE';
  switch (schema['type']) {
    case 'string':
      return 'TEXT';
    case 'integer':
      return 'INTEGER';
    case 'number':
      return 'NUMBER';
    default:
      return 'JSON';
  }
}

function patternOf(pattern: unknown): RegExp | undefined {
  if (typeof pattern !== 'string') return undefined;
  try {
    return new RegExp(pattern, 'u');
  } catch {
    return undefined;
  }
}

/** What is wrong with the text of a field, in words; undefined when nothing is. The API checks again, and all of the schema. */
export function problemOf(field: SchemaField, text: string): string | undefined {
  if (text.trim() === '') return field.required ? 'Needed.' : undefined;
  switch (field.kind) {
    case 'INTEGER':
    case 'NUMBER':
      return numberProblem(field, Number(text));
    case 'TEXT':
      return textProblem(field, text);
    case 'JSON':
      return isJson(text) ? undefined : 'No JSON: texts stand in quotes.';
    case 'CHOICE':
      return undefined;
  }
}

function numberProblem({ kind, min, max }: SchemaField, value: number): string | undefined {
  if (!Number.isFinite(value)) return 'A number.';
  if (kind === 'INTEGER' && !Number.isInteger(value)) return 'A whole number.';
  if (min !== undefined && value < min) return `At least ${min}.`;
  return max !== undefined && value > max ? `At most ${max}.` : undefined;
}

function textProblem({ min, max, pattern }: SchemaField, text: string): string | undefined {
  const { length } = [...text];
  if (min !== undefined && length < min) return `At least ${min} characters.`;
  if (max !== undefined && length > max) return `At most ${max} characters.`;
  return pattern && !pattern.test(text) ? `It has to look like ${pattern.source}.` : undefined;
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** The parameters that a filled form says. Its texts must have no problem; fields left empty are left out. */
export function toParams(
  fields: readonly SchemaField[],
  texts: Readonly<Record<string, string>>,
): Record<string, unknown> {
  const entries = fields.flatMap(({ key, kind }): [string, unknown][] => {
    const text = texts[key] ?? '';
    if (text.trim() === '') return [];
    if (kind === 'TEXT') return [[key, text]];
    return [[key, kind === 'CHOICE' || kind === 'JSON' ? JSON.parse(text) : Number(text)]];
  });
  return Object.fromEntries(entries);
}
