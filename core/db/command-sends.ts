import type { CommandRefusal, CommandTarget } from '../fleet/command-checks.ts';
import { type CommandChange, insertCommands } from './commands.ts';
import type { RunSql } from './pool.ts';

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

interface TargetRow {
  readonly id: number;
  readonly key: string;
  readonly status: CommandTarget['status'];
  readonly open: number;
  readonly template: CommandTarget['template'];
}

const TARGETS = `
  select d.id, d.key, d.status::text as status,
    (select count(*)::int from device_commands o where o.device_id = d.id and o.status in ('QUEUED', 'SENT', 'ACKNOWLEDGED')) as open,
    case when v.template_id is not null then json_build_object('key', t.key, 'version', v.version, 'command',
      (select e from jsonb_array_elements(v.definition->'commands') e where e->>'key' = $3::text limit 1)) end as template
  from devices d left join template_versions v on v.template_id = d.template_id and v.version = d.template_version
    left join device_templates t on t.id = v.template_id
  where d.tenant_id = $1::int and d.id = any($2::int[]) order by d.id`;

/**
 * Sends one command to many devices of a tenant, each judged by what it is at that moment; four statements, however many
 * there are. Devices that are not there are left out. To be called in a transaction, in which the caller also publishes what was
 * sent; until it ends nobody else sends to these devices, so that their limits hold.
 */
export async function sendCommands(
  run: RunSql,
  deviceIds: readonly number[],
  command: CommandToSend,
  refuse: (target: CommandTarget) => CommandRefusal | undefined,
): Promise<CommandsSent> {
  const { tenantId, type, params, expiresAt, actor, jobId } = command;
  const ids = [...deviceIds];
  await run(
    'select id from devices where tenant_id = $1::int and id = any($2::int[]) order by id for no key update',
    [tenantId, ids],
  );
  const targets = await run<TargetRow>(TARGETS, [tenantId, ids, type]);
  const refused: RefusedDevice[] = [];
  const accepted: number[] = [];
  for (const target of targets) {
    const refusal = refuse(target);
    if (refusal) refused.push({ ...refusal, deviceId: target.id, device: target.key });
    else accepted.push(target.id);
  }
  const text = JSON.stringify(params);
  const sent = await insertCommands(
    run,
    { tenantId, actor, jobId },
    accepted.map((deviceId) => ({ deviceId, type, params: text, expiresAt })),
  );
  return { sent, refused };
}
