/** One place where two JSON values differ. */
export type JsonChange = {
  /** Keys from the root to the place; none: the whole value. */
  readonly path: readonly string[];
  /** Undefined where there was nothing. */
  readonly before: unknown;
  /** Undefined where there is nothing any more. */
  readonly after: unknown;
};

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Where two JSON values differ, in the order of their keys. Arrays are compared as a whole: they are replaced, not patched. */
export function diffJson(before: unknown, after: unknown, path: readonly string[] = []): JsonChange[] {
  if (isObject(before) && isObject(after)) {
    const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort();
    return keys.flatMap((key) => diffJson(ownValue(before, key), ownValue(after, key), [...path, key]));
  }
  return isSame(before, after) ? [] : [{ path, before, after }];
}

function ownValue(object: Readonly<Record<string, unknown>>, key: string): unknown {
  return Object.hasOwn(object, key) ? object[key] : undefined;
}

/** Whether two JSON values say the same, whatever the order of their keys. */
export function isSame(one: unknown, other: unknown): boolean {
  if (Array.isArray(one) && Array.isArray(other))
    return one.length === other.length && one.every((value, index) => isSame(value, other[index]));
  if (isObject(one) && isObject(other)) {
    const keys = Object.keys(one);
    return (
      keys.length === Object.keys(other).length &&
      keys.every((key) => Object.hasOwn(other, key) && isSame(one[key], other[key]))
    );
  }
  return one === other;
}

/** Reads the text of a JSON object; says in words what is wrong with anything else. */
export function readJsonObject(
  text: string,
): { readonly value: Record<string, unknown> } | { readonly problem: string } {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? { value: { ...value } } : { problem: 'A JSON object, such as {"mode": "eco"}.' };
  } catch (error) {
    return { problem: error instanceof Error ? error.message : 'Not JSON.' };
  }
}
