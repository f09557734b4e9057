import type { SlotInterface, TemplateCategory, TemplateSlot } from './templates.ts';

/** What is, or is to be, in a slot. */
export interface SeatedModule {
  /** Key of the slot. */
  readonly slot: string;
  readonly templateKey: string;
  readonly category: TemplateCategory;
  readonly busAddress: string | null;
}

export type SlotFaultCode =
  | 'NO_SUCH_SLOT'
  | 'NOT_COMPATIBLE'
  | 'SLOT_FULL'
  | 'ADDRESS_NEEDED'
  | 'ADDRESS_TAKEN';

export interface SlotFault {
  readonly code: SlotFaultCode;
  /** One sentence for a person. */
  readonly message: string;
}

/** Interfaces over which several modules share one line and are told apart by their address. */
const ADDRESSED: ReadonlySet<SlotInterface> = new Set([
  'I2C',
  'SPI',
  'ONE_WIRE',
  'RS485',
  'MODBUS_RTU',
  'CAN',
  'BLUETOOTH',
  'LORA',
]);

/** What a module is, where a slot does not say which it takes. */
const MODULE_CATEGORIES: ReadonlySet<TemplateCategory> = new Set(['EXPANSION_MODULE', 'SENSOR']);

/**
 * Why a module cannot be in its slot; undefined when it can.
 * @param slots of the device's template version
 * @param others that are in the device already, without the module itself
 */
export function findSlotFault(
  slots: readonly TemplateSlot[],
  module: SeatedModule,
  others: readonly SeatedModule[],
): SlotFault | undefined {
  const slot = slots.find(({ key }) => key === module.slot);
  if (!slot) return { code: 'NO_SUCH_SLOT', message: `the device has no slot ${module.slot}` };
  if (!fits(slot, module)) {
    const wanted =
      slot.compatibleTemplates.length > 0 ? slot.compatibleTemplates : [...MODULE_CATEGORIES].sort();
    const message = `${module.templateKey} does not fit into the slot ${slot.key}, which takes ${wanted.join(', ')}`;
    return { code: 'NOT_COMPATIBLE', message };
  }
  const inSlot = others.filter((other) => other.slot === slot.key);
  if (inSlot.length >= slot.maxDevices) {
    const message = `the slot ${slot.key} takes ${slot.maxDevices} at once and is full`;
    return { code: 'SLOT_FULL', message };
  }
  const { busAddress } = module;
  if (busAddress === null) {
    if (slot.maxDevices === 1 || !ADDRESSED.has(slot.interface)) return undefined;
    const message = `the slot ${slot.key} is a bus (${slot.interface}) for several: the module needs an address`;
    return { code: 'ADDRESS_NEEDED', message };
  }
  if (!inSlot.some((other) => other.busAddress === busAddress)) return undefined;
  return {
    code: 'ADDRESS_TAKEN',
    message: `another module in the slot ${slot.key} has the address ${busAddress}`,
  };
}

const fits = (slot: TemplateSlot, { templateKey, category }: SeatedModule): boolean =>
  slot.compatibleTemplates.length > 0
    ? slot.compatibleTemplates.includes(templateKey)
    : MODULE_CATEGORIES.has(category);
