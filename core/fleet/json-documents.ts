/** Any JSON value, and an object of them. */
export type JsonValue = null | boolean | number | string | readonly JsonValue[] | JsonObject;
export type JsonObject = { readonly [key: string]: JsonValue };

const MAX_DEPTH = 16;
const MAX_KEY_LENGTH = 256;

/** What is wrong with a document and where, as a path below it such as `.network.ip` or `[3]`; empty when it is the whole of it. */
export interface DocumentProblem {
  readonly at: string;
  readonly detail: string;
}

/**
 * Why a parsed JSON value cannot be kept as a document: nothing in it may be deeper than 16 levels, no number infinite, no text
 * hold NUL or half a surrogate pair, no key be longer than 256 characters, empty or `__proto__`.
 */
export function documentProblem(value: unknown, at = '', depth = 1): DocumentProblem | undefined {
  switch (typeof value) {
    case 'string':
      return isSound(value) ? undefined : { at, detail: 'a text holds NUL or half a surrogate pair' };
    case 'number':
      return Number.isFinite(value) ? undefined : { at, detail: 'a number is outside the range of a double' };
    case 'object':
      break;
    default:
      return typeof value === 'boolean' ? undefined : { at, detail: 'not JSON' };
  }
  if (value === null) return undefined;
  if (depth > MAX_DEPTH) return { at, detail: `at most ${MAX_DEPTH} levels` };
  if (Array.isArray(value)) {
    for (const [index, entry] of value.entries()) {
      const problem = documentProblem(entry, `${at}[${index}]`, depth + 1);
      if (problem) return problem;
    }
    return undefined;
  }
  for (const [key, entry] of Object.entries(value)) {
    if (key === '' || key === '__proto__' || key.length > MAX_KEY_LENGTH || !isSound(key))
      return { at, detail: `a key has 1 to ${MAX_KEY_LENGTH} characters, no NUL, and is not __proto__` };
    const problem = documentProblem(entry, `${at}.${key}`, depth + 1);
    if (problem) return problem;
  }
  return undefined;
}

const isSound = (text: string): boolean => !text.includes('\u0000') && text.isWellFormed();
