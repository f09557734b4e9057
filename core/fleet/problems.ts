import type { z } from 'zod';
import type { PathProblem } from './plain-json.ts';

const NAMES: Readonly<Record<string, string>> = {
  ...{ string: 'text', number: 'a number', int: 'a whole number', boolean: 'true or false', date: 'a time' },
  ...{ array: 'a list', object: 'an object', record: 'an object', null: 'null' },
};

/**
 * Checks a value by a schema. What is wrong is told as a sentence that wants the place for its subject ("must be a number"), each
 * property that nobody knows at its own place.
 */
export function checkBy<Output>(
  schema: z.ZodType<Output>,
  value: unknown,
): { readonly data: Output; readonly problems?: never } | { readonly problems: readonly PathProblem[] } {
  const parsed = schema.safeParse(value, { error: sentenceOf });
  if (parsed.success) return { data: parsed.data };
  return {
    problems: parsed.error.issues.flatMap((issue): PathProblem[] => {
      const path = issue.path.map((part) => (typeof part === 'symbol' ? String(part) : part));
      if (issue.code !== 'unrecognized_keys') return [{ path, message: issue.message }];
      return issue.keys.map((key) => ({ path: [...path, key], message: 'is not known here' }));
    }),
  };
}

/** Where the schema itself has no words for it. */
function sentenceOf(issue: z.core.$ZodRawIssue): string {
  switch (issue.code) {
    case 'invalid_type':
      return issue.input === undefined ? 'is missing' : `must be ${NAMES[issue.expected] ?? issue.expected}`;
    case 'invalid_value':
      return `must be ${issue.values.length > 1 ? 'one of ' : ''}${issue.values.map(String).join(', ')}`;
    case 'too_small':
      return `must ${sizeOf(issue.origin, 'at least', issue.minimum)}`;
    case 'too_big':
      return `must ${sizeOf(issue.origin, 'at most', issue.maximum)}`;
    default:
      return 'is not valid';
  }
}

function sizeOf(origin: string, bound: string, limit: number | bigint): string {
  if (origin === 'string') return `have ${bound} ${limit} characters`;
  return origin === 'array' ? `have ${bound} ${limit} entries` : `be ${bound} ${limit}`;
}
