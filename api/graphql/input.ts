import { z } from 'zod';
import { checkBy } from '#core/fleet/problems.ts';
import { ValidationFault } from './errors.ts';

/** What a mutation was given, checked. @throws ValidationFault with every issue */
export function parseInput<Output>(schema: z.ZodType<Output>, input: unknown): Output {
  const checked = checkBy(schema, input);
  if (!checked.problems) return checked.data;
  throw new ValidationFault(
    checked.problems.map(({ path, message }) => ({ path: ['input', ...path.map(String)], message })),
  );
}

/** Text without NUL, trimmed, of 1 to `max` characters. */
export const text = (max: number) =>
  z
    .string()
    .trim()
    .min(1, 'must not be empty')
    .max(max, `must have at most ${max} characters`)
    .refine((value) => !value.includes('\0'), 'must not hold NUL');

/** When a credential ends. Null or absent: never. */
export const futureInstant = z
  .date()
  .refine((at) => at.getTime() > Date.now(), 'must be in the future')
  .nullish()
  .transform((at) => at ?? null);
