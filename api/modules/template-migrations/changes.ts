import { z } from 'zod';
import { type SqlReader, sql } from '#api/database/sql.ts';
import type { Operation } from '#api/graphql/context.ts';
import { NotFoundFault, type UserError } from '#api/graphql/errors.ts';
import { parseInput, text } from '#api/graphql/input.ts';
import { deviceUpdateMessages } from '#core/bus/device-changes.ts';
import {
  forecastMigration,
  type MigrationInput,
  templateMigrationHandler,
} from '#core/db/template-migrations.ts';
import { type ManyChanged, type ManyInput, runOnMany } from '../jobs/service.ts';

const inputSchema = z.object({
  templateKey: text(63),
  toVersion: z.number().int().min(1, 'must be at least 1').nullish(),
});

/** Moves devices to another version of their template. Those that cannot move are named, and the others move. */
export function migrateTemplate(operation: Operation, input: ManyInput): Promise<ManyChanged | UserError> {
  // To count, nothing has to stay as it is.
  const hold = input.dryRun !== true;
  return runOnMany(operation, {
    ...{ name: 'templateMigrate', permission: 'devices.write', input },
    prepare: (reader, tenantId) => prepare(reader, tenantId, input, hold),
    handler: templateMigrationHandler(deviceUpdateMessages),
    forecast: (reader, tenantId, prepared, condition) =>
      forecastMigration(reader, tenantId, prepared, condition),
  });
}

/** @throws NotFoundFault */
async function prepare(
  reader: SqlReader,
  tenantId: number,
  input: ManyInput,
  hold: boolean,
): Promise<MigrationInput> {
  const { templateKey, toVersion = null } = parseInput(inputSchema, input);
  if (hold)
    await reader.rows(
      sql`select from device_templates where tenant_id = ${tenantId}::int and key = ${templateKey} for share`,
    );
  const [found] = await reader.rows<{ templateId: number; toVersion: number }>(sql`
    select t.id as "templateId", v.version as "toVersion"
    from device_templates t join template_versions v on v.template_id = t.id and v.version = coalesce(${toVersion}::int, t.version)
    where t.key = ${templateKey} and (t.tenant_id = ${tenantId}::int or t.tenant_id is null)`);
  if (found) return { templateKey, ...found };
  if (toVersion === null)
    throw new NotFoundFault(`there is no template with the key ${templateKey}`, ['input', 'templateKey']);
  const message = `there is no version ${toVersion} of a template with the key ${templateKey}`;
  throw new NotFoundFault(message, ['input', 'toVersion']);
}
