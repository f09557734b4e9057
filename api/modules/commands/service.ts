import { type Operation, requirePermission } from '#api/graphql/context.ts';
import { badInput, NotFoundFault } from '#api/graphql/errors.ts';
import { readRowId } from '#api/graphql/global-ids.ts';
import type { Page, PageArgs } from '#api/graphql/paging.ts';
import {
  type CommandCount,
  type CommandFilter,
  type CommandNode,
  type CommandRow,
  countCommands,
  loadCommand,
  loadJobCounts,
  loadTransitions,
  readCommands,
  type TransitionRow,
} from './store.ts';

const MAX_VALUES = 200;
const MAX_TEXT = 200;
const MAX_COUNT = 1_000_000;
const ROW_ID = /^\d{1,18}$/;

/** The filter as the API takes it. */
export type CommandFilterInput = Omit<CommandFilter, 'jobRow'> & {
  readonly jobId?: string | null | undefined;
};

/** @param id the row's key as an id carries it; undefined when it is none */
export async function findCommand(operation: Operation, id: string): Promise<CommandRow | undefined> {
  requirePermission(operation, 'devices.read');
  return ROW_ID.test(id) ? loadCommand(operation, id) : undefined;
}

/** The command of a mutation's answer, read after the commit. */
export async function requireCommand(operation: Operation, id: string): Promise<CommandRow> {
  const command = await findCommand(operation, id);
  if (!command) throw new NotFoundFault('the command is gone');
  return command;
}

/** The whole command behind a node; a live event carries neither parameters nor details. */
export async function completeCommand(operation: Operation, node: CommandNode): Promise<CommandRow> {
  return 'params' in node ? node : requireCommand(operation, node.id);
}

export async function listTransitions(operation: Operation, node: CommandNode): Promise<TransitionRow[]> {
  return [...(await loadTransitions(operation, node.id))];
}

/** How far the commands are that a job has sent. */
export async function countByStatus(operation: Operation, jobId: number): Promise<CommandCount[]> {
  return [...(await loadJobCounts(operation, jobId))];
}

/**
 * Commands, newest first.
 * @param deviceId only those of one device
 * @throws GraphQLError with code BAD_USER_INPUT for a filter beyond its limits
 */
export async function listCommands(
  operation: Operation,
  args: PageArgs,
  input: CommandFilterInput,
  deviceId?: number,
): Promise<Page<CommandRow> & { count: () => Promise<number> }> {
  requirePermission(operation, 'devices.read');
  const filter = readFilter(input);
  const page = await readCommands(operation, args, filter, deviceId);
  return { ...page, count: () => countCommands(operation, filter, MAX_COUNT, deviceId) };
}

/** @throws GraphQLError with code BAD_USER_INPUT for a filter beyond its limits */
export function readFilter({ jobId, ...filter }: CommandFilterInput): CommandFilter {
  const { deviceKeys, types, statuses, createdAfter, createdBefore } = filter;
  if ([deviceKeys, types, statuses].some((list) => (list?.length ?? 0) > MAX_VALUES))
    throw badInput(`a filter takes at most ${MAX_VALUES} values`);
  for (const text of [...(deviceKeys ?? []), ...(types ?? [])]) {
    if (text.length > MAX_TEXT) throw badInput(`a filter takes at most ${MAX_TEXT} characters`);
    if (text.includes('\0')) throw badInput('a filter must not hold NUL');
  }
  if (createdAfter && createdBefore && createdAfter >= createdBefore)
    throw badInput('createdAfter must be before createdBefore');
  return { ...filter, ...(jobId != null && { jobRow: readRowId(jobId, 'Job') ?? 0 }) };
}
