import type { DatabaseAccount, DayAccount, Rows } from './database.ts';
import type { StreamState } from './stream.ts';

/** One line of the table: a tenant, all days together. */
export interface TenantAccount {
  readonly tenant: string;
  readonly accepted: number;
  readonly stored: number;
  readonly duplicate: number;
  readonly quarantined: number;
  readonly deadLettered: number;
  readonly inFlight: number;
  /** Accepted without a place. */
  readonly difference: number;
  readonly rows: Rows;
}

export interface Verdict {
  readonly tenants: readonly TenantAccount[];
  /** What is wrong, a sentence each; empty when nothing is. */
  readonly differences: readonly string[];
}

/** What messages of no tenant that exists are called. */
export const NOBODY = '(no tenant)';

/** Compares what the streams, the frames and the rows say. Pure. */
export function judge(streams: readonly StreamState[], database: DatabaseAccount): Verdict {
  const differences: string[] = [];
  for (const account of database.days) differences.push(...differencesOf(account));
  for (const { stream, missing, missingCount, doubled } of database.sequences) {
    if (missingCount > 0) {
      const named = missing.join(', ');
      const more = missingCount > missing.length ? ', …' : '';
      differences.push(
        `${missingCount} frames of the stream ${stream} have no outcome and are not on it any more: sequence ${named}${more}`,
      );
    }
    if (doubled > 0) differences.push(`${doubled} frames of the stream ${stream} have more than one outcome`);
  }
  return { tenants: toTenants(streams, database), differences };
}

function* differencesOf(account: DayAccount): Iterable<string> {
  const { tenant = NOBODY, day, accepted, stored, duplicate, quarantined, deadLettered } = account;
  const where = `tenant ${tenant}, ${day}`;
  const settled = stored + duplicate + quarantined + deadLettered;
  if (accepted !== settled) yield `${where}: ${accepted} accepted, ${settled} with an outcome`;
  const tables = {
    readings: account.readings,
    quarantine: account.quarantine,
    dead_letters: account.deadLetters,
  };
  for (const [table, { expected, found }] of Object.entries(tables)) {
    if (found < expected) yield `${where}: ${expected - found} of ${expected} rows are missing in ${table}`;
    if (found > expected)
      yield `${where}: ${found - expected} rows in ${table} that no frame stored (${found} found, ${expected} expected)`;
  }
}

function toTenants(
  streams: readonly StreamState[],
  { days, storedBatches }: DatabaseAccount,
): TenantAccount[] {
  const inFlight = new Map<string, number>();
  const seen = new Set(storedBatches);
  for (const { batchId, readings } of streams.flatMap(({ pending }) => pending)) {
    if (batchId === undefined || seen.has(batchId)) continue;
    seen.add(batchId);
    for (const [tenant, count] of readings) inFlight.set(tenant, (inFlight.get(tenant) ?? 0) + count);
  }
  const tenants = Map.groupBy(days, ({ tenant }) => tenant ?? NOBODY);
  for (const tenant of inFlight.keys()) if (!tenants.has(tenant)) tenants.set(tenant, []);
  return [...tenants].map(([tenant, accounts]) => {
    const sum = (read: (day: DayAccount) => number) => accounts.reduce((total, day) => total + read(day), 0);
    const flying = inFlight.get(tenant) ?? 0;
    const fates = {
      stored: sum((day) => day.stored),
      duplicate: sum((day) => day.duplicate),
      quarantined: sum((day) => day.quarantined),
      deadLettered: sum((day) => day.deadLettered),
    };
    const accepted = sum((day) => day.accepted) + flying;
    const { stored, duplicate, quarantined, deadLettered } = fates;
    return {
      ...{ tenant, accepted, ...fates, inFlight: flying },
      difference: accepted - stored - duplicate - quarantined - deadLettered - flying,
      rows: { expected: sum((day) => day.readings.expected), found: sum((day) => day.readings.found) },
    };
  });
}
