import { COMMAND_LIMITS, type CommandEvent, type CommandStatus } from '../fleet/commands.ts';
import type { RunSql } from './pool.ts';
import { type Sql, type SqlReader, sql } from './sql.ts';

/** A command without what it says. */
export interface CommandRecord {
  /** A bigint in decimal. */
  readonly id: string;
  readonly tenantId: number;
  readonly tenant: string;
  readonly deviceId: number;
  readonly device: string;
  readonly siteId: number | null;
  /** What the device knows it by. */
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

/** A command that has just reached its state, and what brought it there. */
export interface CommandChange extends CommandRecord {
  readonly event: CommandEvent;
  /** When, in ms since the epoch. */
  readonly at: number;
}

/** Of `CommandRecord`: `c` is a command, `d` its device, `t` its tenant. */
export const COMMAND_COLUMNS = `c.id::text as id, c.tenant_id as "tenantId", t.slug as tenant, c.device_id as "deviceId", d.key as device,
  d.site_id as "siteId", c.command_id::text as "commandId", c.type, c.status::text as status, c.actor, c.job_id as "jobId",
  c.created_at as "createdAt", c.expires_at as "expiresAt", c.sent_at as "sentAt", c.acknowledged_at as "acknowledgedAt",
  c.finished_at as "finishedAt"`;

const COLUMNS: Sql = { strings: [COMMAND_COLUMNS], values: [] };
type MadeCommand = Pick<CommandRecord, keyof CommandRecord>;

/** A command to make. */
export interface NewCommand {
  readonly deviceId: number;
  readonly type: string;
  /** As JSON. */
  readonly params: string;
  readonly expiresAt: Date;
}

/** Makes commands, all of one tenant, in their order; answers them in the same. */
export async function insertCommands(
  db: SqlReader,
  by: { readonly tenantId: number; readonly actor: string; readonly jobId: number | null },
  commands: readonly NewCommand[],
): Promise<CommandChange[]> {
  if (commands.length === 0) return [];
  const made = await db.rows<MadeCommand>(
    sql`with made as (
        insert into device_commands (tenant_id, device_id, type, params, expires_at, actor, job_id)
        select ${by.tenantId}::int, w.device_id, w.type, w.params, w.expires_at, ${by.actor}::text, ${by.jobId}::int
        from unnest(${commands.map(({ deviceId }) => deviceId)}::int[], ${commands.map(({ type }) => type)}::text[],
          ${commands.map(({ params }) => params)}::jsonb[],
          ${commands.map(({ expiresAt }) => expiresAt.toISOString())}::timestamptz[]) with ordinality
          as w (device_id, type, params, expires_at, place) order by place
        returning *
      ), noted as (
        insert into command_transitions (tenant_id, command_id, event, status, at)
        select tenant_id, id, 'queued', 'QUEUED', created_at from made
      )
      select ${COLUMNS} from made c join devices d on d.id = c.device_id join tenants t on t.id = c.tenant_id order by c.id`,
  );
  return made.map((command) => ({ ...command, event: 'queued', at: command.createdAt.getTime() }));
}

const EXPIRE = `
  with due as (
    select id from device_commands
    where (status in ('QUEUED', 'SENT') and expires_at <= now())
      or (status = 'ACKNOWLEDGED' and expires_at <= now() - make_interval(secs => $2::int))
    order by expires_at limit $1::int for no key update skip locked
  ), moved as (
    update device_commands c set status = 'EXPIRED', finished_at = now() from due where c.id = due.id returning c.*
  ), noted as (
    insert into command_transitions (tenant_id, command_id, event, status, at)
    select tenant_id, id, 'expired', 'EXPIRED', finished_at from moved on conflict (command_id, event) do nothing
  )
  select ${COMMAND_COLUMNS} from moved c join devices d on d.id = c.device_id join tenants t on t.id = c.tenant_id order by c.id`;

/** Ends up to `limit` commands whose time is over, and answers them. One statement. To be called in a transaction. */
export async function expireCommands(run: RunSql, limit: number): Promise<CommandChange[]> {
  const ended = await run<CommandRecord>(EXPIRE, [limit, COMMAND_LIMITS.answerGraceSeconds]);
  return ended.map((command) => ({
    ...command,
    event: 'expired',
    at: (command.finishedAt ?? new Date()).getTime(),
  }));
}

/** A command that its device is yet to hear of, or to answer. */
export interface PendingCommand {
  readonly deviceId: number;
  readonly commandId: string;
  readonly type: string;
  readonly params: unknown;
  readonly expiresAt: Date;
}

/** The commands that are to be sent to devices which have come back: not answered and not expired, in the order of sending. */
export async function findPendingCommands(
  run: RunSql,
  devices: readonly { readonly tenantId: number; readonly deviceId: number }[],
): Promise<readonly PendingCommand[]> {
  return run<PendingCommand>(
    `select c.device_id as "deviceId", c.command_id::text as "commandId", c.type, c.params, c.expires_at as "expiresAt"
     from unnest($1::int[], $2::int[]) w (tenant_id, device_id)
     join device_commands c on c.device_id = w.device_id and c.tenant_id = w.tenant_id
     where c.status in ('QUEUED', 'SENT') and c.expires_at > now() order by c.device_id, c.id`,
    [devices.map(({ tenantId }) => tenantId), devices.map(({ deviceId }) => deviceId)],
  );
}

/** How many commands are in each state that is not final. */
export async function countOpenCommands(
  run: RunSql,
): Promise<readonly { readonly status: CommandStatus; readonly count: number }[]> {
  return run(
    `select status::text as status, count(*)::int as count from device_commands
     where status in ('QUEUED', 'SENT', 'ACKNOWLEDGED') group by status`,
    [],
  );
}

/** Deletes up to `limit` commands that ended longer ago than their tenant keeps readings; returns how many. */
export async function deleteExpiredCommands(run: RunSql, limit: number): Promise<number> {
  const [row] = await run<{ gone: number }>(
    `with old as (
       select x.id from tenants t cross join lateral (
         select id from device_commands c where c.tenant_id = t.id
           and c.finished_at < now() - (t.retention_days + 1) * interval '1 day' limit $1::int) x limit $1::int
     ), notes as (delete from command_transitions n using old where n.command_id = old.id),
     gone as (delete from device_commands c using old where c.id = old.id returning 1)
     select count(*)::int as gone from gone`,
    [limit],
  );
  return row?.gone ?? 0;
}
