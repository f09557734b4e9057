import type { WriteScope } from '#api/database/writes.ts';
import type { Device } from '#api/generated/prisma/client.ts';
import { ConflictFault, type Fault, NotFoundFault, ValidationFault } from '#api/graphql/errors.ts';
import { sql } from '#core/db/sql.ts';
import { findSlotFault, type SeatedModule, type SlotFault } from '#core/fleet/slots.ts';
import type { TemplateDefinition } from '#core/fleet/templates.ts';

/**
 * A module must fit into its slot, beside those that are there. The device is locked, so that nobody takes the last place meanwhile.
 * @param moduleId of the module itself, where it is in the device already
 * @throws NotFoundFault without such a slot; ValidationFault for a template that does not fit or a missing address; ConflictFault for a
 * full slot or an address that is taken
 */
export async function assertFits(
  scope: WriteScope,
  device: Device,
  { slots }: TemplateDefinition,
  module: SeatedModule,
  moduleId = 0,
): Promise<void> {
  const others = await scope.rows<SeatedModule & { id: number }>(sql`
    select m.id, m.slot, m.bus_address as "busAddress", t.key as "templateKey", t.category::text as category
    from device_modules m join device_templates t on t.id = m.template_id
    where m.device_id = ${device.id}::int and m.removed_at is null and m.id <> ${moduleId}::int order by m.id`);
  const fault = findSlotFault(slots, module, others);
  if (fault) throw toFault(fault, device);
}

function toFault({ code, message }: SlotFault, { version }: Device): Fault {
  switch (code) {
    case 'NO_SUCH_SLOT':
      return new NotFoundFault(message, ['input', 'slot']);
    case 'NOT_COMPATIBLE':
      return new ValidationFault([{ path: ['input', 'templateKey'], message }]);
    case 'SLOT_FULL':
      return new ConflictFault(message, ['input', 'slot'], version);
    case 'ADDRESS_NEEDED':
      return new ValidationFault([{ path: ['input', 'busAddress'], message }]);
    case 'ADDRESS_TAKEN':
      return new ConflictFault(message, ['input', 'busAddress'], version);
  }
}
