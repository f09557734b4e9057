import { z } from 'zod';
import { badInput } from '#api/graphql/errors.ts';
import { text } from '#api/graphql/input.ts';

export const MIN_REASON = 8;
export const MAX_REASON = 500;

/** Why an operator acts: 8 to 500 characters, such as the number of a ticket and what it is about. */
export const reasonSchema = text(MAX_REASON).refine(
  (reason) => reason.length >= MIN_REASON,
  `must say why, in at least ${MIN_REASON} characters`,
);

/** @throws GraphQLError with code BAD_USER_INPUT */
export function parseReason(given: string): string {
  const parsed = z.object({ reason: reasonSchema }).safeParse({ reason: given });
  if (parsed.success) return parsed.data.reason;
  throw badInput(`the reason ${parsed.error.issues[0]?.message ?? 'is not valid'}`);
}
