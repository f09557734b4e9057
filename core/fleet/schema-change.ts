import { sameJson } from './plain-json.ts';
import type { JsonSchema } from './templates.ts';

/** Keywords that say nothing about which values fit. */
const ANNOTATIONS: ReadonlySet<string> = new Set([
  ...['$schema', '$comment', 'title', 'description', 'default', 'deprecated'],
  ...['readOnly', 'writeOnly', 'examples'],
]);
/** Keywords that let more through the greater their number is, and those that let less through. */
const CEILINGS: ReadonlySet<string> = new Set([
  ...['maximum', 'exclusiveMaximum', 'maxLength', 'maxItems', 'maxProperties', 'maxContains'],
]);
const FLOORS: ReadonlySet<string> = new Set([
  ...['minimum', 'exclusiveMinimum', 'minLength', 'minItems', 'minProperties', 'minContains'],
]);

/** Keywords whose absence can let less through, by what other keywords make of it. */
const NEEDED_BY_OTHERS: ReadonlySet<string> = new Set([
  ...['$defs', 'if', 'then', 'else', 'patternProperties', 'prefixItems', 'minContains'],
]);
const SEES_OTHERS = ['unevaluatedProperties', 'unevaluatedItems'];

/**
 * Whether a value that fits `before` may not fit `after`. Says no only where that is certain: a wider bound, more values of an `enum`, a
 * property less that is required, a new optional property where none but the named ones were let through; yes for anything else.
 */
export function schemaTakesLess(before: unknown, after: unknown): boolean {
  if (after === true || before === false || sameJson(before, after)) return false;
  if (!isSchema(before) || !isSchema(after)) return true;
  if (SEES_OTHERS.some((keyword) => keyword in before || keyword in after)) return true;
  const keywords = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...keywords].some((keyword) => keywordTakesLess(keyword, before, after));
}

function keywordTakesLess(keyword: string, before: JsonSchema, after: JsonSchema): boolean {
  const [old, now] = [before[keyword], after[keyword]];
  if (ANNOTATIONS.has(keyword) || sameJson(old, now)) return false;
  if (keyword === 'properties') return propertiesTakeLess(before, after);
  if (now === undefined) return NEEDED_BY_OTHERS.has(keyword);
  if (old === undefined) return true;
  if (CEILINGS.has(keyword)) return !(Number(now) >= Number(old));
  if (FLOORS.has(keyword)) return !(Number(now) <= Number(old));
  if (keyword === 'enum' || keyword === 'type') return !includesAll(listOf(now), listOf(old));
  if (keyword === 'required') return !includesAll(listOf(old), listOf(now));
  if (keyword === 'additionalProperties' || keyword === 'items') return schemaTakesLess(old, now);
  return true;
}

function propertiesTakeLess(before: JsonSchema, after: JsonSchema): boolean {
  const [old, now] = [mapOf(before['properties']), mapOf(after['properties'])];
  return [...new Set([...old.keys(), ...now.keys()])].some((name) => {
    // What is not named is let through as far as additionalProperties says.
    const was = old.get(name) ?? before['additionalProperties'] ?? true;
    const is = now.get(name) ?? after['additionalProperties'] ?? true;
    // patternProperties speak for properties that are not named, too.
    const patterned = before['patternProperties'] !== undefined || after['patternProperties'] !== undefined;
    return patterned && !(old.has(name) && now.has(name)) ? true : schemaTakesLess(was, is);
  });
}

const includesAll = (all: readonly unknown[], some: readonly unknown[]): boolean =>
  some.every((value) => all.some((other) => sameJson(value, other)));

const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [value]);

const mapOf = (value: unknown): ReadonlyMap<string, unknown> =>
  new Map(typeof value === 'object' && value !== null ? Object.entries(value) : []);

const isSchema = (value: unknown): value is JsonSchema =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
