import { type Operation, requirePermission } from '#api/graphql/context.ts';
import type { FrameItem } from '#core/bus/messages.ts';
import { readMessage } from '#core/fleet/dialects/read-message.ts';
import { DEFAULT_TELEMETRY_LIMITS } from '#core/fleet/telemetry.ts';
import type { PendingFrame } from './in-flight.ts';
import { type DayFates, type Fates, readDays, readStoredBatches } from './store.ts';

export type { PendingFrame, PendingItem } from './in-flight.ts';

export interface Conservation extends Fates {
  readonly inFlight: number;
  /** False when more is in flight than can be looked at: `inFlight` and `accepted` are at least what they say. */
  readonly complete: boolean;
  readonly difference: number;
  readonly days: readonly DayFates[];
}

/**
 * What became of everything that was accepted from the viewer's tenant: of committed frames what the database says, of the
 * others what lies on the streams. They are looked at first, so that what is committed meanwhile is counted once.
 */
export async function conservationOf(operation: Operation): Promise<Conservation> {
  requirePermission(operation, 'telemetry.read');
  const { platform, viewer } = operation;
  const { frames, complete } = await platform.inFlight.read(viewer.tenantSlug);
  return platform.readSnapshot(operation, async (scope) => {
    const stored = await readStoredBatches(scope, frames);
    const days = await readDays(scope);
    const sums = days.reduce(add, NOTHING);
    const waiting = new Map(frames.map((frame) => [frame.batchId, frame]));
    for (const batchId of stored) waiting.delete(batchId);
    const inFlight = [...waiting.values()].reduce(countFrame, 0);
    const settled = sums.stored + sums.duplicate + sums.quarantined + sums.deadLettered;
    const accepted = sums.accepted + inFlight;
    return { ...sums, accepted, inFlight, complete, difference: accepted - settled - inFlight, days };
  });
}

const NOTHING: Fates = { accepted: 0, stored: 0, duplicate: 0, quarantined: 0, deadLettered: 0 };

const add = (sum: Fates, day: Fates): Fates => ({
  accepted: sum.accepted + day.accepted,
  stored: sum.stored + day.stored,
  duplicate: sum.duplicate + day.duplicate,
  quarantined: sum.quarantined + day.quarantined,
  deadLettered: sum.deadLettered + day.deadLettered,
});

const countFrame = (sum: number, frame: PendingFrame): number =>
  frame.items.reduce((count, { item }) => count + readingsIn(item), sum);

/** How many readings a message will be counted as; signs of life are none. */
function readingsIn({ kind, dialect, payload, device, receivedAt, replay }: FrameItem): number {
  // What is not supported is turned away.
  if (kind !== 'telemetry') return kind === 'ota_status' ? 1 : 0;
  if (replay?.part !== undefined) return 1;
  const context = { device, receivedAt, dup: false, oldestTs: 0, limits: DEFAULT_TELEMETRY_LIMITS };
  return readMessage(dialect, payload, context).length;
}
