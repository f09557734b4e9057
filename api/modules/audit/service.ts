import { type Operation, requirePermission } from '#api/graphql/context.ts';
import { badInput } from '#api/graphql/errors.ts';
import type { Page, PageArgs } from '#api/graphql/paging.ts';
import { type AuditFilter, type AuditRow, readAuditEntries, readAuditEntry } from './store.ts';

export { loadActorName } from './actors.ts';

const MAX_TEXT = 200;
const MAX_ACTIONS = 100;

/** @param id the row's key as an id carries it; undefined when it is none */
export async function findAuditEntry(operation: Operation, id: string): Promise<AuditRow | undefined> {
  requirePermission(operation, 'audit.read');
  return /^\d{1,18}$/.test(id) ? readAuditEntry(operation, id) : undefined;
}

/** @throws GraphQLError with code BAD_USER_INPUT for a filter beyond its limits */
export async function listAuditEntries(
  operation: Operation,
  args: PageArgs,
  filter: AuditFilter,
): Promise<Page<AuditRow>> {
  requirePermission(operation, 'audit.read');
  assertFilter(filter);
  return readAuditEntries(operation, args, filter);
}

/** @throws GraphQLError with code BAD_USER_INPUT for a filter beyond its limits */
export function assertFilter(filter: AuditFilter): void {
  const texts = [filter.actor ?? '', filter.target ?? '', ...(filter.actions ?? [])];
  if ((filter.actions?.length ?? 0) > MAX_ACTIONS)
    throw badInput(`actions takes at most ${MAX_ACTIONS} values`);
  if (texts.some((text) => text.length > MAX_TEXT))
    throw badInput(`a filter takes at most ${MAX_TEXT} characters`);
  if (texts.some((text) => text.includes('\0'))) throw badInput('a filter must not hold NUL');
}
