import { z } from 'zod';
import {
  type CommandRefusal,
  type CommandTarget,
  refuseCommand,
  type SchemaChecks,
} from '../fleet/command-checks.ts';
import type { CommandToTell } from '../fleet/command-messages.ts';
import { COMMAND_LIMITS } from '../fleet/commands.ts';
import { type BulkForecast, MAX_FAULTS } from './bulk.ts';
import { IS_OPEN, sendCommands, TEMPLATE_OF, templateFor } from './command-sends.ts';
import type { CommandChange } from './commands.ts';
import { DEVICES } from './device-filter.ts';
import type { JobFault, JobHandler, JobScope } from './jobs.ts';
import { type Sql, type SqlReader, sql } from './sql.ts';

/** What many devices are told; the input of a job of the kind `commandSendMany`. */
const inputSchema = z.object({ type: z.string(), params: z.unknown(), expiresAt: z.coerce.date() });

/** Makes the messages that tell devices, and whoever follows, of commands that were sent. */
export type TellOfCommands = (
  scope: Pick<JobScope, 'shard'>,
  sent: readonly CommandChange[],
  what: Omit<CommandToTell, 'commandId'>,
) => readonly { readonly subject: string; readonly payload: Buffer }[];

/** Sends one command to many devices. What is wrong with one of them is its fault; nothing is sent once the command has expired. */
export const commandHandler =
  (tell: TellOfCommands, checks: SchemaChecks): JobHandler =>
  async (scope, input, deviceIds) => {
    const { type, params, expiresAt } = inputSchema.parse(input);
    if (expiresAt.getTime() <= Date.now()) {
      const message = 'the command expired before it was the turn of the device';
      return { changed: 0, faults: deviceIds.map((deviceId) => ({ deviceId, code: 'CONFLICT', message })) };
    }
    const { tenantId, actor, jobId } = scope;
    const { sent, refused } = await sendCommands(
      scope,
      deviceIds,
      { tenantId, type, params, expiresAt, actor, jobId },
      (target) => refuseCommand(target, type, params, checks),
    );
    await scope.publish(tell(scope, sent, { type, params, expiresAt: expiresAt.getTime() }));
    const found = new Set([...sent, ...refused].map(({ deviceId }) => deviceId));
    const gone = deviceIds.filter((id) => !found.has(id));
    const faults = [
      ...refused.map(({ deviceId, ...refusal }) => faultOf(deviceId, refusal)),
      ...gone.map((deviceId) => ({ deviceId, code: 'NOT_FOUND', message: 'there is no such device' })),
    ];
    return { changed: sent.length, faults };
  };

const CODES: Readonly<Record<CommandRefusal['code'], string>> = {
  NOT_ACTIVE: 'CONFLICT',
  UNKNOWN_TYPE: 'NOT_FOUND',
  BAD_PARAMS: 'VALIDATION',
  TOO_MANY_OPEN: 'QUOTA',
};

const faultOf = (
  deviceId: number,
  { code, message }: Pick<CommandRefusal, 'code' | 'message'>,
): JobFault => ({
  ...{ deviceId, code: CODES[code], message },
});

interface TemplateRow {
  id: number;
  version: number;
  template: NonNullable<CommandTarget['template']>;
}

/** How sending a command to the devices that meet a condition, on DEVICES, would end now. Three statements, however many they are. */
export async function forecastCommands(
  reader: SqlReader,
  tenantId: number,
  input: unknown,
  checks: SchemaChecks,
  condition: Sql,
): Promise<BulkForecast> {
  const { type, params } = inputSchema.parse(input);
  const judge = (target: CommandTarget) => refuseCommand(target, type, params, checks);
  const templates = await reader.rows<TemplateRow>(
    sql`select v.template_id as id, v.version, ${templateFor(type)} as template from
          (select distinct d.template_id, d.template_version from ${DEVICES} where ${condition}) d ${TEMPLATE_OF}
        where v.template_id is not null`,
  );
  const unfit = templates.filter(({ template }) => judge({ status: 'ACTIVE', open: 0, template }));
  const isUnfit = sql`exists (select from unnest(${unfit.map(({ id }) => id)}::int[], ${unfit.map(({ version }) => version)}::int[])
    w (id, version) where w.id = d.template_id and w.version = d.template_version)`;
  const isFull = sql`d.id in (select o.device_id from device_commands o where o.tenant_id = ${tenantId} and ${IS_OPEN}
    group by o.device_id having count(*) >= ${COMMAND_LIMITS.openPerDevice})`;
  const isRefused = sql`(d.status <> 'ACTIVE' or ${isUnfit} or ${isFull})`;
  const [counts] = await reader.rows<{ matched: number; failed: number }>(
    sql`select count(*)::int as matched, count(*) filter (where ${isRefused})::int as failed from ${DEVICES} where ${condition}`,
  );
  const rows = await reader.rows<CommandTarget & { id: number }>(
    sql`select d.id, d.status::text as status, case when ${isFull} then ${COMMAND_LIMITS.openPerDevice}::int else 0 end as open,
          ${templateFor(type)} as template
        from ${DEVICES} ${TEMPLATE_OF} where ${condition} and ${isRefused} order by d.id limit ${MAX_FAULTS}`,
  );
  const { matched = 0, failed = 0 } = counts ?? {};
  const faults = rows.flatMap(({ id, ...target }) => {
    const refusal = judge(target);
    return refusal ? [faultOf(id, refusal)] : [];
  });
  return { matched, changed: matched - failed, failed, faults };
}
