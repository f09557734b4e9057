import type { WriteScope } from '#api/database/writes.ts';
import { ConflictFault, NotFoundFault, ValidationFault } from '#api/graphql/errors.ts';
import { sql } from '#core/db/sql.ts';
import type { TemplateCategory } from '#core/fleet/templates.ts';

const PATH = ['input', 'parentKey'];

/** What a device can be that speaks for others. */
const GATEWAYS: ReadonlySet<TemplateCategory> = new Set(['GATEWAY', 'EDGE_DEVICE', 'CONTROLLER']);

interface ParentRow {
  id: number;
  status: string;
  version: number;
  category: TemplateCategory | null;
}

/**
 * The gateway that is to speak for a device. Both are locked until the transaction ends, in the order of their ids, and nobody else
 * in the tenant gives a device a parent meanwhile: so no two changes make a circle together.
 * @param childId undefined for a device that is being made
 * @throws NotFoundFault, ValidationFault for the device itself, ConflictFault for one that cannot be its parent
 */
export async function lockParent(
  scope: WriteScope,
  childId: number | undefined,
  parentKey: string,
): Promise<number> {
  await scope.rows(
    sql`select pg_advisory_xact_lock(hashtext('device_parents'), ${scope.tenantId}::int)::text as held`,
  );
  await scope.rows(sql`
    select id from devices where tenant_id = ${scope.tenantId}::int and (id = ${childId ?? 0}::int or key = ${parentKey})
    order by id for update`);
  const [parent] = await scope.rows<ParentRow>(sql`
    select d.id, d.status::text as status, d.version, t.category::text as category
    from devices d left join device_templates t on t.id = d.template_id
    where d.tenant_id = ${scope.tenantId}::int and d.key = ${parentKey}`);
  if (!parent) throw new NotFoundFault(`there is no device with the key ${parentKey}`, PATH);
  if (parent.id === childId)
    throw new ValidationFault([{ path: PATH, message: 'a device is not its own gateway' }]);
  if (parent.status === 'DECOMMISSIONED')
    throw new ConflictFault(`${parentKey} is decommissioned`, PATH, parent.version);
  if (parent.category !== null && !isGateway(parent.category)) {
    const message = `${parentKey} is a ${parent.category}: only a ${[...GATEWAYS].join(', ')} speaks for others`;
    throw new ConflictFault(message, PATH, parent.version);
  }
  if (childId !== undefined && (await isAbove(scope, childId, parent.id)))
    throw new ConflictFault(`this device speaks for ${parentKey} already`, PATH, parent.version);
  return parent.id;
}

/** Whether the device speaks for others. */
export async function hasChildren(scope: WriteScope, deviceId: number): Promise<boolean> {
  const [row] = await scope.rows<{ has: boolean }>(sql`
    select exists (select from devices where tenant_id = ${scope.tenantId}::int and parent_id = ${deviceId}::int) as has`);
  return row?.has === true;
}

export const isGateway = (category: TemplateCategory): boolean => GATEWAYS.has(category);

/** Whether one device is the gateway of another, or of its gateway, and so on. */
async function isAbove(scope: WriteScope, upper: number, lower: number): Promise<boolean> {
  const [row] = await scope.rows<{ above: boolean }>(sql`
    with recursive up as (
      select id, parent_id from devices where id = ${lower}::int
      union select d.id, d.parent_id from devices d join up on d.id = up.parent_id
    ) select exists (select from up where id = ${upper}::int) as above`);
  return row?.above === true;
}
