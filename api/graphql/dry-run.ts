import type { Permission } from '#core/auth/permissions.ts';
import { type Operation, requirePermission } from './context.ts';
import { Fault, isRefusal, type UserError } from './errors.ts';

/**
 * Answers what a mutation would do: `work` reads and changes nothing, and neither is anything logged nor the answer kept. A fault becomes
 * the answer, as it does in `runMutation`.
 */
export async function dryRun<Answer>(
  operation: Operation,
  permission: Permission,
  work: () => Promise<Answer>,
): Promise<Answer | UserError> {
  try {
    requirePermission(operation, permission);
    return await work();
  } catch (error) {
    const refusal = error instanceof Fault ? error.toUserError() : undefined;
    if (refusal && isRefusal(refusal, [])) return refusal;
    throw error;
  }
}
