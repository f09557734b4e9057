import type { SequenceGap, SequenceRange, SequenceState } from '../fleet/sequences.ts';
import { countMissing } from '../fleet/sequences.ts';
import type { Connection } from './pool.ts';

/** A life of a device, as its row is named. */
export interface SequenceKey {
  readonly deviceId: number;
  readonly boot: number;
}

/** The numbers of one life of a device, with what an event about them needs. */
export interface DeviceSequence extends SequenceKey {
  readonly tenantId: number;
  readonly tenant: string;
  readonly device: string;
  readonly siteId: number | null;
  readonly state: SequenceState;
}

interface SequenceRow {
  device_id: number;
  tenant_id: number;
  tenant: string;
  device: string;
  site_id: number | null;
  boot: number;
  received: string;
  duplicates: string;
  out_of_order: string;
  ranges: readonly [number, number, number][];
  floor: string | null;
  forgotten: string;
  open_gaps: readonly [number, number, number][];
  last_at: Date;
  settles_at: Date | null;
}

/** Lives of one device that are remembered. */
const MAX_BOOTS = 16;

const SELECT = `select s.device_id, s.tenant_id, t.slug as tenant, d.key as device, d.site_id, s.boot, s.received, s.duplicates,
    s.out_of_order, s.ranges, s.floor, s.forgotten, s.open_gaps, s.last_at, s.settles_at
  from device_sequences s join devices d on d.id = s.device_id join tenants t on t.id = s.tenant_id`;

/** Locks these lives until the transaction ends, beginning those that are new. A device that is gone has none. */
export async function lockSequences(
  connection: Connection,
  keys: readonly SequenceKey[],
): Promise<DeviceSequence[]> {
  const known = await lockKnown(connection, keys);
  const found = new Set(known.map(nameOf));
  const missing = keys.filter((key) => !found.has(nameOf(key)));
  if (missing.length === 0) return known;
  await connection.query(
    `insert into device_sequences (device_id, boot, tenant_id)
     select d.id, w.boot, d.tenant_id from unnest($1::int[], $2::int[]) as w (device_id, boot)
     join devices d on d.id = w.device_id order by d.id, w.boot on conflict do nothing`,
    columnsOf(missing),
  );
  return [...known, ...(await lockKnown(connection, missing))];
}

async function lockKnown(connection: Connection, keys: readonly SequenceKey[]): Promise<DeviceSequence[]> {
  const rows = await connection.query<SequenceRow>({
    name: 'lock-sequences',
    text: `${SELECT} join unnest($1::int[], $2::int[]) as w (device_id, boot) on s.device_id = w.device_id and s.boot = w.boot
      order by s.device_id, s.boot for update of s`,
    values: columnsOf(keys),
  });
  return rows.rows.map(fromRow);
}

/** Locks up to `limit` lives with a gap that has had its time at `now`. */
export async function lockSettling(
  connection: Connection,
  now: Date,
  limit: number,
): Promise<DeviceSequence[]> {
  const rows = await connection.query<SequenceRow>(
    `${SELECT} where s.settles_at <= $1 order by s.device_id, s.boot limit $2 for update of s skip locked`,
    [now, limit],
  );
  return rows.rows.map(fromRow);
}

/** Writes lives that are locked. */
export async function writeSequences(
  connection: Connection,
  sequences: readonly (SequenceKey & { readonly state: SequenceState })[],
): Promise<void> {
  if (sequences.length === 0) return;
  const states = sequences.map(({ state }) => state);
  await connection.query({
    name: 'write-sequences',
    text: `update device_sequences s set last_seq = w.last_seq, received = w.received, duplicates = w.duplicates,
        out_of_order = w.out_of_order, missing = w.missing, ranges = w.ranges, floor = w.floor, forgotten = w.forgotten,
        open_gaps = w.open_gaps, last_at = w.last_at, settles_at = w.settles_at
      from unnest($1::int[], $2::int[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[], $8::jsonb[],
        $9::bigint[], $10::bigint[], $11::jsonb[], $12::timestamptz[], $13::timestamptz[])
        as w (device_id, boot, last_seq, received, duplicates, out_of_order, missing, ranges, floor, forgotten, open_gaps, last_at, settles_at)
      where s.device_id = w.device_id and s.boot = w.boot`,
    values: [
      ...columnsOf(sequences),
      states.map(({ ranges }) => ranges.at(-1)?.to ?? 0),
      states.map(({ received }) => received),
      states.map(({ duplicates }) => duplicates),
      states.map(({ outOfOrder }) => outOfOrder),
      states.map(countMissing),
      states.map(({ ranges }) => JSON.stringify(ranges.map(({ from, to, since }) => [from, to, since]))),
      states.map(({ floor }) => floor),
      states.map(({ forgotten }) => forgotten),
      states.map(({ open }) =>
        JSON.stringify(open.map(({ from, to, firstSeenAt }) => [from, to, firstSeenAt])),
      ),
      states.map(({ lastAt }) => new Date(lastAt)),
      states.map(({ settlesAt }) => (settlesAt === null ? null : new Date(settlesAt))),
    ],
  });
}

/** A gap that was made known, as it is now. */
export interface KnownGap extends SequenceKey, SequenceGap {
  readonly tenantId: number;
  readonly missing: number;
  readonly healedAt: number | undefined;
}

/** Writes gaps as they are at `now`, whether they are known already or not. */
export async function writeGaps(
  connection: Connection,
  gaps: readonly KnownGap[],
  now: number,
): Promise<void> {
  if (gaps.length === 0) return;
  await connection.query(
    `insert into sequence_gaps as g (tenant_id, device_id, boot, from_seq, to_seq, missing, first_seen_at, opened_at, healed_at)
     select tenant_id, device_id, boot, from_seq, to_seq, missing, first_seen_at, $9, healed_at
     from unnest($1::int[], $2::int[], $3::int[], $4::bigint[], $5::bigint[], $6::bigint[], $7::timestamptz[], $8::timestamptz[])
       as w (tenant_id, device_id, boot, from_seq, to_seq, missing, first_seen_at, healed_at)
     on conflict (device_id, boot, from_seq) do update set missing = excluded.missing, healed_at = excluded.healed_at
       where (g.missing, g.healed_at) is distinct from (excluded.missing, excluded.healed_at)`,
    [
      gaps.map((gap) => gap.tenantId),
      ...columnsOf(gaps),
      gaps.map((gap) => gap.from),
      gaps.map((gap) => gap.to),
      gaps.map((gap) => gap.missing),
      gaps.map((gap) => new Date(gap.firstSeenAt)),
      gaps.map((gap) => (gap.healedAt === undefined ? null : new Date(gap.healedAt))),
      new Date(now),
    ],
  );
}

/** Forgets all but the newest lives of these devices, with their gaps. */
export async function forgetOldBoots(connection: Connection, deviceIds: readonly number[]): Promise<void> {
  await connection.query(
    `with old as (
       delete from device_sequences s using unnest($1::int[]) as w (device_id)
       where s.device_id = w.device_id and s.boot not in (
         select boot from device_sequences k where k.device_id = w.device_id order by last_at desc, boot desc limit $2)
       returning s.device_id, s.boot)
     delete from sequence_gaps g using old where g.device_id = old.device_id and g.boot = old.boot`,
    [deviceIds, MAX_BOOTS],
  );
}

const columnsOf = (keys: readonly SequenceKey[]): [number[], number[]] => [
  keys.map(({ deviceId }) => deviceId),
  keys.map(({ boot }) => boot),
];

/** Names a life among those of a fold. */
export const nameOf = ({ deviceId, boot }: SequenceKey): string => `${deviceId}/${boot}`;

const toRange = ([from, to, since]: readonly [number, number, number]): SequenceRange => ({
  from,
  to,
  since,
});
const toGap = ([from, to, firstSeenAt]: readonly [number, number, number]): SequenceGap => ({
  from,
  to,
  firstSeenAt,
});

const fromRow = (row: SequenceRow): DeviceSequence => ({
  deviceId: row.device_id,
  boot: row.boot,
  tenantId: row.tenant_id,
  tenant: row.tenant,
  device: row.device,
  siteId: row.site_id,
  state: {
    ranges: row.ranges.map(toRange),
    floor: row.floor === null ? null : Number(row.floor),
    forgotten: Number(row.forgotten),
    received: Number(row.received),
    duplicates: Number(row.duplicates),
    outOfOrder: Number(row.out_of_order),
    open: row.open_gaps.map(toGap),
    lastAt: row.last_at.getTime(),
    settlesAt: row.settles_at?.getTime() ?? null,
  },
});
