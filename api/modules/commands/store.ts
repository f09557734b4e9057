import { all, type Sql, sql } from '#api/database/sql.ts';
import type { Operation } from '#api/graphql/context.ts';
import { defineLoader } from '#api/graphql/loaders.ts';
import { type Keyset, type Page, type PageArgs, planPage } from '#api/graphql/paging.ts';
import type { CommandEvent, CommandStatus } from '#core/fleet/commands.ts';

/** A command as an event tells it too. */
export interface CommandStub {
  /** A bigint in decimal. */
  readonly id: string;
  readonly deviceId: number;
  readonly commandId: string;
  readonly type: string;
  readonly status: CommandStatus;
  readonly actor: string;
  readonly jobId: number | null;
  readonly createdAt: Date;
  readonly expiresAt: Date;
  readonly sentAt: Date | null;
  readonly acknowledgedAt: Date | null;
  readonly finishedAt: Date | null;
}

export interface CommandRow extends CommandStub {
  readonly params: unknown;
  readonly details: unknown;
  readonly detailsProblem: string | null;
}

/** What the rest of is looked up when it is asked for. */
export type CommandNode = CommandStub | CommandRow;

export interface TransitionRow {
  readonly commandId: string;
  readonly event: CommandEvent;
  readonly status: CommandStatus;
  readonly moved: boolean;
  readonly at: Date;
  readonly details: unknown;
}

export interface CommandFilter {
  readonly deviceKeys?: readonly string[] | null | undefined;
  readonly types?: readonly string[] | null | undefined;
  readonly statuses?: readonly CommandStatus[] | null | undefined;
  /** Row of a job; 0 for one that is not there. */
  readonly jobRow?: number | undefined;
  readonly createdAfter?: Date | null | undefined;
  readonly createdBefore?: Date | null | undefined;
}

const COLUMNS = sql`c.id::text, c.device_id as "deviceId", c.command_id::text as "commandId", c.type, c.status::text, c.actor,
  c.job_id as "jobId", c.created_at as "createdAt", c.expires_at as "expiresAt", c.sent_at as "sentAt",
  c.acknowledged_at as "acknowledgedAt", c.finished_at as "finishedAt", c.params, c.details,
  c.details_problem as "detailsProblem"`;
const NEWEST: Keyset = {
  name: 'commands/newest',
  columns: [{ expression: sql`c.id`, type: 'bigint' }],
  descending: true,
};

export const loadCommand = defineLoader<string, CommandRow | undefined>(
  async (operation, ids) => {
    const rows = await operation.read.rows<CommandRow>(
      sql`select ${COLUMNS} from device_commands c where c.id = any(${ids}::bigint[])`,
    );
    return new Map(rows.map((row) => [row.id, row]));
  },
  () => undefined,
);

/** What happened to a command, in the order in which it became known. */
export const loadTransitions = defineLoader<string, readonly TransitionRow[]>(
  async (operation, ids) => {
    const rows = await operation.read.rows<TransitionRow>(
      sql`select command_id::text as "commandId", event::text, status::text, moved, at, details
          from command_transitions where command_id = any(${ids}::bigint[]) order by command_id, id`,
    );
    return Map.groupBy(rows, (row) => row.commandId);
  },
  () => [],
);

export interface CommandCount {
  readonly jobId: number;
  readonly status: CommandStatus;
  readonly count: number;
}

/** How many commands of a job are in each state that some are in, in the order of the states. */
export const loadJobCounts = defineLoader<number, readonly CommandCount[]>(
  async (operation, jobIds) => {
    const rows = await operation.read.rows<Pick<CommandCount, keyof CommandCount>>(
      sql`select job_id as "jobId", status::text, count(*)::int as count from device_commands
          where job_id = any(${jobIds}::int[]) group by job_id, device_commands.status order by job_id, device_commands.status`,
    );
    return Map.groupBy(rows, ({ jobId }) => jobId);
  },
  () => [],
);

/** Newest first. @param deviceId only those of one device */
export async function readCommands(
  operation: Operation,
  args: PageArgs,
  filter: CommandFilter,
  deviceId?: number,
): Promise<Page<CommandRow>> {
  const page = planPage(args, NEWEST);
  const rows = await operation.read.rows<CommandRow>(
    sql`select ${COLUMNS} from device_commands c where ${conditions(filter, deviceId)} and ${page.condition}
        order by ${page.orderBy} limit ${page.limit}`,
  );
  return page.toPage(rows, (row) => [row.id]);
}

/** Counts no further than `limit`. */
export async function countCommands(
  operation: Operation,
  filter: CommandFilter,
  limit: number,
  deviceId?: number,
): Promise<number> {
  const [row] = await operation.read.rows<{ count: number }>(
    sql`select count(*)::int as count from
        (select from device_commands c where ${conditions(filter, deviceId)} limit ${limit}) counted`,
  );
  return row?.count ?? 0;
}

/** Every condition given. */
export function conditions(filter: CommandFilter, deviceId?: number): Sql {
  const { deviceKeys, types, statuses, jobRow, createdAfter, createdBefore } = filter;
  return all([
    ...(deviceId === undefined ? [] : [sql`c.device_id = ${deviceId}`]),
    ...(deviceKeys
      ? [sql`c.device_id in (select d.id from devices d where d.key = any(${deviceKeys}::text[]))`]
      : []),
    ...(types ? [sql`c.type = any(${types}::text[])`] : []),
    ...(statuses ? [sql`c.status = any(${statuses}::command_status[])`] : []),
    ...(jobRow === undefined ? [] : [sql`c.job_id = ${jobRow}`]),
    ...(createdAfter ? [sql`c.created_at >= ${createdAfter}`] : []),
    ...(createdBefore ? [sql`c.created_at < ${createdBefore}`] : []),
  ]);
}

/** The commands that are not finished, oldest first. */
export const openCommands = (filter: CommandFilter): Sql =>
  sql`select ${COLUMNS} from device_commands c
      where c.status in ('QUEUED', 'SENT', 'ACKNOWLEDGED') and ${conditions(filter)} order by c.id`;
