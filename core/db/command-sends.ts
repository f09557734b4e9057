import type { CommandRefusal, CommandTarget } from '../fleet/command-checks.ts';
import { type CommandChange, insertCommands } from './commands.ts';
import { type Sql, type SqlReader, sql } from './sql.ts';

/** What devices are told. */
export interface CommandToSend {
  readonly tenantId: number;
  readonly type: string;
  readonly params: unknown;
  readonly expiresAt: Date;
  /** As the audit log names whoever sends it. */
  readonly actor: string;
  readonly jobId: number | null;
}

export interface RefusedDevice extends CommandRefusal {
  readonly deviceId: number;
  readonly device: string;
}

export interface CommandsSent {
  /** In the order of the ids of their devices. */
  readonly sent: readonly CommandChange[];
  readonly refused: readonly RefusedDevice[];
}

type TargetRow = { id: number; key: string } & CommandTarget;

/** Of a command `o`: it is not finished. */
export const IS_OPEN: Sql = sql`o.status in ('QUEUED', 'SENT', 'ACKNOWLEDGED')`;
/** Joins the template `t` of a device `d`, in its version `v`. */
export const TEMPLATE_OF: Sql = sql`left join template_versions v on v.template_id = d.template_id and v.version = d.template_version
  left join device_templates t on t.id = v.template_id`;
/** What a `CommandTarget` has of that version, for commands of a type; null without a template. */
export const templateFor = (type: string): Sql =>
  sql`case when v.template_id is not null then json_build_object('key', t.key, 'version', v.version, 'command',
    (select e from jsonb_array_elements(v.definition->'commands') e where e->>'key' = ${type}::text limit 1)) end`;

/**
 * Sends one command to many devices of a tenant, each judged by what it is at that moment; three statements, however many
 * there are. Devices that are not there are left out. To be called in a transaction, in which the caller also publishes what was
 * sent; until it ends nobody else sends to these devices, so that their limits hold.
 */
export async function sendCommands(
  db: SqlReader,
  deviceIds: readonly number[],
  command: CommandToSend,
  refuse: (target: CommandTarget) => CommandRefusal | undefined,
): Promise<CommandsSent> {
  const { tenantId, type, params, expiresAt, actor, jobId } = command;
  const isWanted = sql`d.tenant_id = ${tenantId}::int and d.id = any(${deviceIds}::int[])`;
  await db.rows(sql`select d.id from devices d where ${isWanted} order by d.id for no key update`);
  const targets = await db.rows<TargetRow>(
    sql`select d.id, d.key, d.status::text as status,
          (select count(*)::int from device_commands o where o.device_id = d.id and ${IS_OPEN}) as open,
          ${templateFor(type)} as template
        from devices d ${TEMPLATE_OF} where ${isWanted} order by d.id`,
  );
  const refused: RefusedDevice[] = [];
  const accepted: number[] = [];
  for (const target of targets) {
    const refusal = refuse(target);
    if (refusal) refused.push({ ...refusal, deviceId: target.id, device: target.key });
    else accepted.push(target.id);
  }
  const text = JSON.stringify(params);
  const sent = await insertCommands(
    db,
    { tenantId, actor, jobId },
    accepted.map((deviceId) => ({ deviceId, type, params: text, expiresAt })),
  );
  return { sent, refused };
}
