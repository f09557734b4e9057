import { COMMAND_LIMITS, COMMAND_TYPE } from './commands.ts';
import { compileSchema, type SchemaCheck } from './json-schemas.ts';
import { type PathProblem, plainJsonProblem } from './plain-json.ts';
import { isObject } from './telemetry.ts';
import type { JsonSchema } from './templates.ts';

/** What must be known of a device before it is sent a command of a certain type. */
export interface CommandTarget {
  readonly status: 'ACTIVE' | 'DISABLED' | 'DECOMMISSIONED';
  /** Commands that are not finished. */
  readonly open: number;
  /** Null: it takes any type, with any object. */
  readonly template: {
    readonly key: string;
    readonly version: number;
    /** Of the command of this type; null when the template has none of it. */
    readonly command: { readonly params: JsonSchema | null } | null;
  } | null;
}

/** Why a device is not sent a command. */
export interface CommandRefusal {
  readonly code: 'NOT_ACTIVE' | 'UNKNOWN_TYPE' | 'BAD_PARAMS' | 'TOO_MANY_OPEN';
  readonly message: string;
  /** Of BAD_PARAMS: everything that is wrong, with paths inside the parameters. */
  readonly problems: readonly PathProblem[];
}

/** Compiled schemas of templates. */
export type SchemaChecks = (schema: JsonSchema) => SchemaCheck;

/** Compiles each schema once; keeps up to `max` of them, the ones used last. */
export function createSchemaChecks(max: number): SchemaChecks {
  const compiled = new Map<string, SchemaCheck>();
  return (schema) => {
    const text = JSON.stringify(schema);
    const check = compiled.get(text) ?? compileSchema(schema);
    compiled.delete(text);
    compiled.set(text, check);
    for (const oldest of compiled.keys()) {
      if (compiled.size <= max) break;
      compiled.delete(oldest);
    }
    return check;
  };
}

/** What is wrong with a command, whatever device it is for; with paths from `type` or `params` on. */
export function findCommandProblems(type: string, params: unknown): readonly PathProblem[] {
  if (!COMMAND_TYPE.test(type))
    return [{ path: ['type'], message: 'must be 1 to 64 of a-z 0-9 _ . - beginning with a letter' }];
  if (!isObject(params)) return [{ path: ['params'], message: 'must be an object' }];
  const unfit = plainJsonProblem(params, ['params']);
  if (unfit) return [unfit];
  const { paramsBytes } = COMMAND_LIMITS;
  return Buffer.byteLength(JSON.stringify(params)) > paramsBytes
    ? [{ path: ['params'], message: `must have at most ${paramsBytes} bytes as JSON` }]
    : [];
}

/** Why this device is not sent the command; undefined when it is. A command whose template gives it no parameters takes none. */
export function refuseCommand(
  target: CommandTarget,
  type: string,
  params: unknown,
  checks: SchemaChecks,
): CommandRefusal | undefined {
  const { status, template, open } = target;
  if (status !== 'ACTIVE')
    return { code: 'NOT_ACTIVE', message: `the device is ${status.toLowerCase()}`, problems: [] };
  if (template && !template.command) {
    const message = `the template ${template.key}, version ${template.version}, has no command ${type}`;
    return { code: 'UNKNOWN_TYPE', message, problems: [] };
  }
  const problems = template?.command ? paramProblems(template.command.params, params, checks) : [];
  if (problems.length > 0) {
    const message = `the parameters do not fit the template: ${describeProblem(problems)}`;
    return { code: 'BAD_PARAMS', message, problems };
  }
  if (open < COMMAND_LIMITS.openPerDevice) return undefined;
  const message = `a device has at most ${COMMAND_LIMITS.openPerDevice} commands that are not finished; wait, or cancel some`;
  return { code: 'TOO_MANY_OPEN', message, problems: [] };
}

function paramProblems(
  schema: JsonSchema | null,
  params: unknown,
  checks: SchemaChecks,
): readonly PathProblem[] {
  if (schema) return checks(schema)(params);
  return isObject(params) && Object.keys(params).length > 0
    ? [{ path: [], message: 'this command takes no parameters' }]
    : [];
}

/**
 * What the details of an `ok` break of the schema that the template has for them; undefined when nothing. The command has
 * succeeded all the same: what was done is done.
 * @param details as JSON; undefined where the device said nothing
 */
export function judgeResponse(
  schema: unknown,
  details: string | undefined,
  checks: SchemaChecks,
): string | undefined {
  if (!isObject(schema)) return undefined;
  const problems = checks(schema)(details === undefined ? null : JSON.parse(details));
  return problems.length > 0 ? describeProblem(problems) : undefined;
}

const MAX_DESCRIPTION = 500;

function describeProblem(problems: readonly PathProblem[]): string {
  const told = problems.map(
    ({ path, message }) => `${path.length > 0 ? `${path.join('.')} ` : ''}${message}`,
  );
  return told.join('; ').slice(0, MAX_DESCRIPTION);
}
