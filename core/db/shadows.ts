import type { JsonObject } from '../fleet/json-documents.ts';
import {
  applyReport,
  type DesiredState,
  type ReportedSide,
  type ReportOutcome,
  type ShadowReport,
} from '../fleet/shadow.ts';
import type { Connection, Queryable } from './pool.ts';

/** A report on its way into the database. */
export interface ReportToStore extends ShadowReport {
  readonly tenantId: number;
  readonly deviceId: number;
  /** When it arrived at the edge, in ms since the epoch. */
  readonly receivedAt: number;
  /** Where it lay on the stream. */
  readonly streamedAt: number;
  readonly sequence: number;
  /** `{batchId}.{index}`; the same report is stored once. */
  readonly receipt: string;
}

interface LockedRow {
  device_id: number;
  desired_version: number;
  reported: JsonObject;
  reported_version: number;
  reported_at: Date | null;
  answered_version: number;
  streamed_at: Date | null;
  sequence: string | null;
}

/** The reported side of a device while a batch is being stored. */
interface Side {
  readonly tenantId: number;
  side: ReportedSide;
  reportedAt: number | null;
}

/** A new version of a reported side. */
interface HistoryRow extends ReportToStore {
  readonly version: number;
}

/**
 * Takes reports into the shadows of their devices, in the order given, and writes a row of history for each that changes one.
 * Locks those shadows until the transaction ends, in the order of their devices. A device that is gone has none.
 * @returns what each did; undefined where the device is gone
 */
export async function storeReports(
  connection: Connection,
  reports: readonly ReportToStore[],
): Promise<(ReportOutcome | undefined)[]> {
  const sides = await lockSides(connection, reports);
  const history: HistoryRow[] = [];
  const outcomes = reports.map((report) => {
    const known = sides.get(report.deviceId);
    if (!known) return undefined;
    const { streamedAt, sequence } = report;
    const { outcome, side } = applyReport(known.side, report, { streamedAt, sequence });
    known.side = side;
    if (outcome !== 'late') known.reportedAt = report.receivedAt;
    if (outcome === 'applied') history.push({ ...report, version: side.reportedVersion });
    return outcome;
  });
  await writeSides(connection, sides);
  await writeHistory(connection, history);
  return outcomes;
}

async function lockSides(
  connection: Connection,
  reports: readonly ReportToStore[],
): Promise<Map<number, Side>> {
  const tenantOf = new Map(reports.map(({ deviceId, tenantId }) => [deviceId, tenantId]));
  const ids = [...tenantOf.keys()].sort((a, b) => a - b);
  await connection.query(
    `insert into device_shadows (device_id, tenant_id)
     select d.id, d.tenant_id from devices d where d.id = any($1::int[]) order by d.id on conflict do nothing`,
    [ids],
  );
  const { rows } = await connection.query<LockedRow>(
    `select device_id, desired_version, reported, reported_version, reported_at, answered_version,
       reported_streamed_at as streamed_at, reported_sequence as sequence
     from device_shadows where device_id = any($1::int[]) order by device_id for no key update`,
    [ids],
  );
  return new Map(
    rows.map((row) => {
      const { desired_version, reported, reported_version, reported_at, answered_version, ...rest } = row;
      const place =
        rest.streamed_at && rest.sequence !== null
          ? { streamedAt: rest.streamed_at.getTime(), sequence: Number(rest.sequence) }
          : undefined;
      const side: ReportedSide = {
        ...{ desiredVersion: desired_version, reported, reportedVersion: reported_version, place },
        answeredVersion: answered_version,
      };
      const tenantId = tenantOf.get(row.device_id) ?? 0;
      return [row.device_id, { tenantId, side, reportedAt: reported_at?.getTime() ?? null }];
    }),
  );
}

async function writeSides(connection: Connection, sides: ReadonlyMap<number, Side>): Promise<void> {
  const rows = [...sides];
  await connection.query(
    `update device_shadows s set reported = w.reported, reported_version = w.version, reported_at = w.at,
       answered_version = w.answered, reported_streamed_at = w.streamed_at, reported_sequence = w.sequence
     from unnest($1::int[], $2::jsonb[], $3::int[], $4::timestamptz[], $5::int[], $6::timestamptz[], $7::bigint[])
       as w (device_id, reported, version, at, answered, streamed_at, sequence)
     where s.device_id = w.device_id`,
    [
      rows.map(([deviceId]) => deviceId),
      rows.map(([, { side }]) => JSON.stringify(side.reported)),
      rows.map(([, { side }]) => side.reportedVersion),
      rows.map(([, { reportedAt }]) => (reportedAt === null ? null : new Date(reportedAt))),
      rows.map(([, { side }]) => side.answeredVersion),
      rows.map(([, { side }]) => (side.place ? new Date(side.place.streamedAt) : null)),
      rows.map(([, { side }]) => side.place?.sequence ?? null),
    ],
  );
}

async function writeHistory(connection: Connection, rows: readonly HistoryRow[]): Promise<void> {
  if (rows.length === 0) return;
  await connection.query(
    `insert into shadow_history (tenant_id, device_id, side, version, document, answers, at, receipt)
     select w.tenant_id, w.device_id, 'REPORTED', w.version, w.document, nullif(w.answers, 0), w.at, w.receipt
     from unnest($1::int[], $2::int[], $3::int[], $4::jsonb[], $5::int[], $6::timestamptz[], $7::text[])
       with ordinality as w (tenant_id, device_id, version, document, answers, at, receipt, place) order by place`,
    [
      rows.map((row) => row.tenantId),
      rows.map((row) => row.deviceId),
      rows.map((row) => row.version),
      rows.map((row) => JSON.stringify(row.reported)),
      rows.map((row) => row.answers),
      rows.map((row) => new Date(row.receivedAt)),
      rows.map((row) => row.receipt),
    ],
  );
}

/** The version that each of these reports made, by `{deviceId}/{receipt}`; none for a report that changed nothing. */
export async function findReportVersions(
  db: Queryable,
  reports: readonly { readonly deviceId: number; readonly receipt: string }[],
): Promise<Map<string, number>> {
  const { rows } = await db.query<{ name: string; version: number }>(
    `select h.device_id || '/' || h.receipt as name, h.version
     from unnest($1::int[], $2::text[]) as w (device_id, receipt)
     join shadow_history h on h.device_id = w.device_id and h.receipt = w.receipt`,
    [reports.map(({ deviceId }) => deviceId), reports.map(({ receipt }) => receipt)],
  );
  return new Map(rows.map(({ name, version }) => [name, version]));
}

/** What these devices should be; nothing for those of whom nobody has ever wanted anything. */
export async function findDesired(
  db: Queryable,
  deviceIds: readonly number[],
): Promise<Map<number, DesiredState>> {
  const { rows } = await db.query<{ device_id: number; desired: JsonObject; version: number; at: Date }>({
    name: 'find-desired',
    text: `select device_id, desired, desired_version as version, desired_at as at from device_shadows
           where device_id = any($1::int[]) and desired_version > 0`,
    values: [[...deviceIds]],
  });
  return new Map(
    rows.map(({ device_id, desired, version, at }) => [device_id, { desired, version, at: at.getTime() }]),
  );
}

/** A device by its names. */
export interface NamedDevice {
  readonly tenant: string;
  readonly device: string;
}

/** The same by name, in the order asked; undefined also for a device that has left service or never was. */
export async function findDesiredByName(
  db: Queryable,
  names: readonly NamedDevice[],
): Promise<(DesiredState | undefined)[]> {
  const { rows } = await db.query<{ place: number; desired: JsonObject; version: number; at: Date }>({
    name: 'find-desired-by-name',
    text: `select w.place::int, s.desired, s.desired_version as version, s.desired_at as at
           from unnest($1::text[], $2::text[]) with ordinality as w (tenant, device, place)
           join tenants t on t.slug = w.tenant
           join devices d on d.tenant_id = t.id and d.key = w.device and d.status <> 'DECOMMISSIONED'
           join device_shadows s on s.device_id = d.id and s.desired_version > 0`,
    values: [names.map(({ tenant }) => tenant), names.map(({ device }) => device)],
  });
  const found = new Map(
    rows.map(({ place, desired, version, at }) => [place, { desired, version, at: at.getTime() }]),
  );
  return names.map((_, index) => found.get(index + 1));
}

/** At most so many rows of history of one side of one device are kept. */
const MAX_HISTORY_ROWS = 1_000;

/**
 * Deletes up to `limit` rows of history that are older than their tenant keeps readings, or more than a side of a device may
 * have; the newest row of each side stays. Returns how many.
 */
export async function deleteExpiredShadowHistory(db: Queryable, limit: number): Promise<number> {
  const deleted = await db.query(
    `with sides as (
       select s.device_id, s.tenant_id, w.side, w.newest, now() - (t.retention_days + 1) * interval '1 day' as oldest
       from device_shadows s join tenants t on t.id = s.tenant_id
       cross join lateral (values ('DESIRED'::shadow_side, s.desired_version), ('REPORTED', s.reported_version)) as w (side, newest)
     ), old as (
       select x.id from sides s cross join lateral (
         select h.id from shadow_history h
         where h.tenant_id = s.tenant_id and h.device_id = s.device_id and h.at < s.oldest and h.side = s.side and h.version < s.newest
         union all
         select h.id from shadow_history h
         where h.device_id = s.device_id and h.side = s.side and h.version <= s.newest - ${MAX_HISTORY_ROWS}) x
       limit $1)
     delete from shadow_history h using old where h.id = old.id`,
    [limit],
  );
  return deleted.rowCount ?? 0;
}
