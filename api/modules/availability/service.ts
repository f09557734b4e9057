import { type Operation, requirePermission } from '#api/graphql/context.ts';
import { badInput } from '#api/graphql/errors.ts';
import { type AxesChange, type Uptime, uptimeOf } from '#core/fleet/availability.ts';
import { readAxesAt, readChanges } from './store.ts';

/** A range of a device's history, from its creation to now at most. */
export interface Availability {
  readonly from: Date;
  readonly to: Date;
  /** Oldest first. */
  readonly changes: readonly AxesChange[];
  /** How long it was there in each of so many equal parts. */
  uptime(parts: number): Uptime[];
}

const MAX_DAYS = 400;
/** A device that changes more often than this is told to be asked for less. */
const MAX_CHANGES = 20_000;
const MAX_PARTS = 500;

/** @throws GraphQLError with code BAD_USER_INPUT for a range that is none, too long or too restless */
export async function findAvailability(
  operation: Operation,
  device: { readonly id: number; readonly createdAt: Date },
  range: { readonly from: Date; readonly to: Date },
): Promise<Availability> {
  requirePermission(operation, 'devices.read');
  if (range.from >= range.to) throw badInput('from must be before to');
  const from = new Date(Math.max(range.from.getTime(), device.createdAt.getTime()));
  const to = new Date(Math.max(from.getTime(), Math.min(range.to.getTime(), Date.now())));
  if (to.getTime() - from.getTime() > MAX_DAYS * 86_400_000)
    throw badInput(`at most ${MAX_DAYS} days of a device’s life are told at once`);
  const changes = await readChanges(operation, device.id, { from, to }, MAX_CHANGES + 1);
  if (changes.length > MAX_CHANGES)
    throw badInput(`the range holds more than ${MAX_CHANGES} changes; choose a shorter one`);
  const later = await readAxesAt(operation, device.id, to);
  return {
    from,
    to,
    changes,
    uptime: (parts) => uptimeOf(changes, later, { from: from.getTime(), to: to.getTime() }, parts),
  };
}

/** @throws GraphQLError with code BAD_USER_INPUT for too many or no parts */
export function partsOf(
  { from, to, uptime }: Availability,
  count: number,
): (Uptime & { readonly from: Date })[] {
  if (count < 1 || count > MAX_PARTS) throw badInput(`count must be from 1 to ${MAX_PARTS}`);
  const width = (to.getTime() - from.getTime()) / count;
  return uptime(count).map((part, index) => ({ ...part, from: new Date(from.getTime() + index * width) }));
}
