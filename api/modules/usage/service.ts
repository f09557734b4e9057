import { type Operation, requirePermission } from '#api/graphql/context.ts';
import { LIMIT_NAMES, type Limits, limitsOf } from '#core/fleet/limits.ts';
import { readLimits, readMinutes, type UsageRow } from './store.ts';

export interface Usage {
  readonly limits: Limits & {
    readonly burstSeconds: number;
    /** Those that are not the plan's. */
    readonly own: readonly string[];
  };
  readonly now: Date;
  /** Of the last day, those in which something was sent, oldest first. */
  readonly minutes: readonly UsageRow[];
}

const MINUTE_MS = 60_000;
export const HOUR_MINUTES = 60;
export const DAY_MINUTES = 1_440;

/** What the viewer's tenant may send and what it sent. */
export async function usageOf(operation: Operation): Promise<Usage> {
  requirePermission(operation, 'telemetry.read');
  const { plan } = operation.platform;
  const now = new Date();
  const minutes = await readMinutes(operation.read, minutesBefore(now, DAY_MINUTES));
  const limits = limitsOf(plan, await readLimits(operation.read));
  const own = LIMIT_NAMES.filter((name) => limits[name] !== plan[name]);
  return { limits: { ...limits, burstSeconds: plan.burstSeconds, own }, now, minutes };
}

/** The sum of the newest minutes, the present one among them. */
export function sumOf({ now, minutes }: Usage, count: number): UsageRow {
  const from = minutesBefore(now, count);
  return minutes
    .filter((minute) => minute.from >= from)
    .reduce((sum, minute) => ({ ...add(sum, minute), from }), { ...NOTHING, from });
}

/** The newest minutes one by one, oldest first, also those in which nothing was sent. */
export function fillMinutes({ now, minutes }: Usage, count: number): UsageRow[] {
  const known = new Map(minutes.map((minute) => [minute.from.getTime(), minute]));
  const first = minutesBefore(now, count).getTime();
  return Array.from({ length: count }, (_, index) => {
    const from = new Date(first + index * MINUTE_MS);
    return known.get(from.getTime()) ?? { ...NOTHING, from };
  });
}

/** The beginning of the `count`th newest minute; the present one is the first. */
const minutesBefore = (now: Date, count: number): Date =>
  new Date((Math.floor(now.getTime() / MINUTE_MS) - count + 1) * MINUTE_MS);

const NOTHING = { messages: 0, bytes: 0, throttled: 0, refused: 0 };

const add = (one: typeof NOTHING, other: typeof NOTHING): typeof NOTHING => ({
  messages: one.messages + other.messages,
  bytes: one.bytes + other.bytes,
  throttled: one.throttled + other.throttled,
  refused: one.refused + other.refused,
});
