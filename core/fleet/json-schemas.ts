import type { ErrorObject, Format } from 'ajv';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { fullFormats } from 'ajv-formats/dist/formats.js';
import { RE2JS } from 're2js';
import { type PathProblem, plainJsonProblem } from './plain-json.ts';
import { schemaProblems, schemaWeight } from './schema-shape.ts';
import type { JsonSchema } from './templates.ts';

/** The formats that are checked; any other is refused, so that nobody relies on one that is not. */
const FORMATS: Readonly<Record<string, Format>> = {
  date: fullFormats.date,
  time: fullFormats.time,
  'date-time': fullFormats['date-time'],
  duration: fullFormats.duration,
  uuid: fullFormats.uuid,
  ipv4: fullFormats.ipv4,
  ipv6: fullFormats.ipv6,
  hostname: fullFormats.hostname,
};

/** A value's parts times a schema's weight: what checking it may cost, so that nobody's schema holds up the others. */
const MAX_WORK = 200_000;
const MAX_PROBLEMS = 100;

/** Patterns run in time linear in the text (RE2 syntax: no look-around, no back-references). */
const linearPattern = Object.assign((pattern: string) => RE2JS.compile(pattern), {
  code: 'linearPattern',
});

const compiler = new Ajv2020({
  allErrors: true,
  strict: true,
  strictTypes: false,
  strictTuples: false,
  logger: false,
  addUsedSchema: false,
  formats: FORMATS,
  code: { regExp: linearPattern },
});

/** Says what is wrong with a value; nothing when it fits. At most 100 problems. */
export type SchemaCheck = (value: unknown) => readonly PathProblem[];

/** Everything that keeps a schema from being one of a template; empty when it can be compiled. */
export function findSchemaProblems(schema: JsonSchema): readonly PathProblem[] {
  const problems = schemaProblems(schema, isPattern);
  if (problems.length > 0) return problems;
  if (!compiler.validateSchema({ ...schema })) return described(compiler.errors).slice(0, MAX_PROBLEMS);
  try {
    compileSchema(schema);
    return [];
  } catch (error) {
    return [{ path: [], message: `is not a JSON Schema: ${reason(error)}` }];
  }
}

/**
 * Compiles a schema that `findSchemaProblems` has nothing against. Costs milliseconds: keep the result.
 * @throws Error for any other schema
 */
export function compileSchema(schema: JsonSchema): SchemaCheck {
  const validate = compiler.compile({ ...schema });
  compiler.removeSchema(validate.schema);
  const weight = schemaWeight(schema);
  return (value) => {
    const unfit = plainJsonProblem(value);
    if (unfit) return [unfit];
    if (partsOf(value) * weight > MAX_WORK)
      return [{ path: [], message: 'has too many parts to be checked against its schema' }];
    if (validate(value)) return [];
    return described(validate.errors).slice(0, MAX_PROBLEMS);
  };
}

const described = (errors: readonly ErrorObject[] | null | undefined): readonly PathProblem[] =>
  (errors ?? []).map(({ instancePath, keyword, params, message }) => ({
    path: instancePath.split('/').slice(1).map(unescapePointer),
    message: say(keyword, params, message),
  }));

function isPattern(pattern: string): boolean {
  try {
    linearPattern(pattern);
    return true;
  } catch {
    return false;
  }
}

/** What ajv leaves out of its sentence although the reader needs it. */
function say(keyword: string, params: Readonly<Record<string, unknown>>, message = 'does not fit'): string {
  switch (keyword) {
    case 'additionalProperties':
      return `must not have the property ${String(params['additionalProperty'])}`;
    case 'unevaluatedProperties':
      return `must not have the property ${String(params['unevaluatedProperty'])}`;
    case 'enum':
      return `must be one of ${JSON.stringify(params['allowedValues'])}`;
    case 'const':
      return `must be ${JSON.stringify(params['allowedValue'])}`;
    default:
      return message;
  }
}

/** How many values there are in it; 64 characters of text count as one. */
function partsOf(value: unknown): number {
  if (typeof value === 'string') return 1 + Math.floor(value.length / 64);
  if (typeof value !== 'object' || value === null) return 1;
  return Object.entries(value).reduce(
    (sum, [key, part]) => sum + Math.floor(key.length / 64) + partsOf(part),
    1,
  );
}

const unescapePointer = (part: string): string => part.replaceAll('~1', '/').replaceAll('~0', '~');

const reason = (error: unknown): string => (error instanceof Error ? error.message : String(error));
