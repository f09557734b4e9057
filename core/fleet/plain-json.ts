/** Something wrong in a value, and where in it. */
export interface PathProblem {
  readonly path: readonly (string | number)[];
  readonly message: string;
}

const MAX_DEPTH = 32;

/**
 * The first thing that keeps a value from being kept as JSON and found again unchanged: more than 32 levels, a number that is not finite,
 * NUL, half a character, a property called `__proto__`, or what JSON does not have.
 */
export function plainJsonProblem(value: unknown, path: PathProblem['path'] = []): PathProblem | undefined {
  if (path.length > MAX_DEPTH) return { path, message: `must have at most ${MAX_DEPTH} levels` };
  switch (typeof value) {
    case 'boolean':
      return undefined;
    case 'number':
      return Number.isFinite(value) ? undefined : { path, message: 'must be a finite number' };
    case 'string':
      return textProblem(value, path);
    case 'object':
      return value === null ? undefined : partsProblem(value, path);
    default:
      return { path, message: 'must be JSON' };
  }
}

function partsProblem(value: object, path: PathProblem['path']): PathProblem | undefined {
  for (const [key, part] of Object.entries(value)) {
    const inside = [...path, Array.isArray(value) ? Number(key) : key];
    const problem =
      key === '__proto__'
        ? { path, message: 'must not have a property called __proto__' }
        : (textProblem(key, path) ?? plainJsonProblem(part, inside));
    if (problem) return problem;
  }
  return undefined;
}

function textProblem(text: string, path: PathProblem['path']): PathProblem | undefined {
  if (text.includes('\0')) return { path, message: 'must not hold NUL' };
  return text.isWellFormed() ? undefined : { path, message: 'must not hold half a character' };
}

/** Whether two values are the same as JSON: the order of properties does not matter, that of lists does. */
export function sameJson(a: unknown, b: unknown): boolean {
  if (Object.is(a, b) || a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  const others = new Map<string, unknown>(Object.entries(b));
  const entries = Object.entries(a);
  return (
    entries.length === others.size &&
    entries.every(([key, value]) => others.has(key) && sameJson(value, others.get(key)))
  );
}
