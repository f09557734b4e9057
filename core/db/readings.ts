import { JsonText } from '../fleet/json-text.ts';
import type { MessageId } from '../fleet/message-id.ts';
import { contentDigest, messageIdText } from '../fleet/message-id.ts';
import { errorMessage } from '../runtime/errors.ts';
import { CopyWriter, copyIn } from './copy.ts';
import { type Connection, type Queryable, sqlState } from './pool.ts';

/** A validated reading on its way into `readings`. Times are milliseconds since the epoch. */
export interface ReadingRow {
  readonly tenantId: number;
  readonly deviceId: number;
  readonly ts: number;
  readonly id: MessageId;
  readonly receivedAt: number;
  readonly lat: number | undefined;
  readonly lng: number | undefined;
  readonly dupPossible: boolean;
  /** Its device numbered it and gave no time. */
  readonly timeless: boolean;
  readonly metrics: JsonText;
  /** `MetricFlags` as JSON text, where a value is not as it should be. */
  readonly flagsJson?: string | undefined;
  /** Its metrics as they were sent, as JSON text, where a map has changed them and only their content can tell a resend. */
  readonly sentJson?: string | undefined;
  /** The message of the frame that it came in. */
  readonly itemIndex: number;
  /** The place of the reading in its frame, whoever is known and allowed today. */
  readonly slot: number;
  /** Its entry in the frame's manifest. */
  readonly entry: number;
  /** The quarantine row that it is a replay of. */
  readonly replayOf: string | undefined;
}

const COLUMNS =
  'tenant_id, device_id, ts, msg_id, received_at, latitude, longitude, dup_possible, timeless, metrics';
const RARE_COLUMNS = 'flags, sent_digest';

/** The columns that these rows fill: those that are hardly ever filled only where one of them does. */
const columnsOf = (rows: readonly ReadingRow[]): string =>
  rows.some(isRare) ? `${COLUMNS}, ${RARE_COLUMNS}` : COLUMNS;

const isRare = ({ flagsJson, sentJson }: ReadingRow): boolean =>
  flagsJson !== undefined || sentJson !== undefined;

/** Makes sure that the partitions of these UTC days (`YYYY-MM-DD`) exist. */
export async function ensurePartitions(
  db: Queryable,
  parent: 'readings' | 'ingest_frames',
  days: readonly string[],
): Promise<void> {
  for (const day of days) await db.query('select ensure_partition($1, $2::date)', [parent, day]);
}

/** Of rows that were to be stored, those that were not: usually none. */
export interface ReadingsOutcome<Row> {
  /** Stored before, or twice among them: the first in the order of the frames is the one that was stored. */
  readonly known: ReadonlySet<Row>;
  /** Why the server would not take them. */
  readonly rejected: ReadonlyMap<Row, string>;
}

/**
 * COPY straight into the table. A duplicate sends the rows through a staging table; a row the server cannot take is found
 * by halving and turned away alone.
 */
export async function storeReadings<Row extends ReadingRow>(
  connection: Connection,
  rows: readonly Row[],
): Promise<ReadingsOutcome<Row>> {
  if (rows.length === 0) return { known: new Set(), rejected: new Map() };
  await connection.query('savepoint readings');
  try {
    const statement = `copy readings (${columnsOf(rows)}) from stdin (format binary)`;
    await copyRows(connection, statement, byDevice(rows));
    await connection.query('release savepoint readings');
    return { known: new Set(), rejected: new Map() };
  } catch (error) {
    const state = sqlState(error);
    if (!isRowFault(state)) throw error;
    await connection.query('rollback to savepoint readings');
    let fault = error;
    if (state === '23505') {
      await connection.query('savepoint staging');
      try {
        return { known: await storeNew(connection, rows), rejected: new Map() };
      } catch (staged) {
        if (!isRowFault(sqlState(staged))) throw staged;
        await connection.query('rollback to savepoint staging');
        fault = staged;
      }
    }
    const [only] = rows;
    if (rows.length === 1 && only) {
      return {
        known: new Set(),
        rejected: new Map([[only, errorMessage(fault)]]),
      };
    }
    const half = Math.ceil(rows.length / 2);
    const left = await storeReadings(connection, rows.slice(0, half));
    const right = await storeReadings(connection, rows.slice(half));
    return {
      known: left.known.union(right.known),
      rejected: new Map([...left.rejected, ...right.rejected]),
    };
  }
}

/** A partition is missing: ours to make, not the row's fault. */
export const MISSING_PARTITION = '23514';

/** Data exceptions (class 22) and violated constraints (class 23) are the row's own. */
const isRowFault = (state: string | undefined): boolean =>
  state !== MISSING_PARTITION && (state?.startsWith('22') === true || state?.startsWith('23') === true);

/** Stores the rows that are not there yet and returns the others. */
async function storeNew<Row extends ReadingRow>(
  connection: Connection,
  rows: readonly Row[],
): Promise<Set<Row>> {
  await connection.query(`create temporary table if not exists incoming_readings
    (like readings including defaults) on commit delete rows`);
  await connection.query('truncate incoming_readings');
  const columns = columnsOf(rows);
  const statement = `copy incoming_readings (${columns}) from stdin (format binary)`;
  await copyRows(connection, statement, firstOfEach(rows));
  const inserted = await connection.query<{ device_id: number; ts: Date; msg_id: string }>(
    `insert into readings (${columns}) select ${columns} from incoming_readings order by device_id, ts, msg_id
     on conflict do nothing returning device_id, ts, msg_id`,
  );
  const fresh = new Set(inserted.rows.map((row) => `${row.device_id}/${row.ts.getTime()}/${row.msg_id}`));
  // Each name counts once: of the same reading twice the first is the one that was stored.
  return new Set(rows.filter((row) => !fresh.delete(nameOf(row))));
}

const nameOf = ({ deviceId, ts, id }: ReadingRow): string => `${deviceId}/${ts}/${messageIdText(id)}`;

function firstOfEach<Row extends ReadingRow>(rows: readonly Row[]): Row[] {
  const seen = new Set<string>();
  return rows.filter((row) => {
    const name = nameOf(row);
    return !seen.has(name) && seen.add(name);
  });
}

/** Above it a batch is stored as it came. */
const MAX_SORTED = 2 ** 20;

/** The rows device by device: neighbours in the table, and in the index found where the one before was. */
function byDevice<Row extends ReadingRow>(rows: readonly Row[]): readonly Row[] {
  if (rows.length >= MAX_SORTED) return rows;
  // Numbers are sorted many times faster than objects: the device, then the place among the rows, which is the order of arrival.
  const keys = new Float64Array(rows.length);
  for (let place = 0; place < rows.length; place++)
    keys[place] = (rows[place]?.deviceId ?? 0) * MAX_SORTED + place;
  keys.sort();
  const sorted: Row[] = [];
  for (const key of keys) {
    const row = rows[key % MAX_SORTED];
    if (row) sorted.push(row);
  }
  return sorted;
}

/** What the last rows were written into, while nobody sends from it. */
let spare: Buffer | undefined;
/** A longer one is not kept. */
const MAX_SPARE_BYTES = 4 * 1024 * 1024;

async function copyRows(
  connection: Connection,
  statement: string,
  rows: readonly ReadingRow[],
): Promise<void> {
  const buffer = spare ?? Buffer.allocUnsafeSlow(Math.max(64 * 1024, rows.length * 224));
  spare = undefined;
  const stream = encodeRows(rows, buffer);
  await copyIn(connection, statement, stream);
  // After a failure the connection may still be sending from it.
  const { byteLength } = stream.buffer;
  if (byteLength <= MAX_SPARE_BYTES) spare = Buffer.from(stream.buffer, 0, byteLength);
}

function encodeRows(rows: readonly ReadingRow[], buffer: Buffer): Buffer {
  const writer = new CopyWriter(buffer);
  const rare = rows.some(isRare);
  for (const row of rows) {
    const flags = row.flagsJson === undefined ? undefined : JsonText.of(row.flagsJson);
    writer.row(rare ? 12 : 10, row.metrics.length + (flags?.length ?? 0));
    writer.int4(row.tenantId);
    writer.int4(row.deviceId);
    writer.timestamptz(row.ts);
    writer.int8(row.id.high, row.id.low);
    writer.timestamptz(row.receivedAt);
    writer.float8(row.lat);
    writer.float8(row.lng);
    writer.bool(row.dupPossible);
    writer.bool(row.timeless);
    writer.jsonb(row.metrics);
    if (rare) encodeRare(writer, flags, row.sentJson);
  }
  return writer.finish();
}

function encodeRare(writer: CopyWriter, flags: JsonText | undefined, sentJson: string | undefined): void {
  if (flags) writer.jsonb(flags);
  else writer.null();
  if (sentJson === undefined) writer.null();
  else {
    const { high, low } = contentDigest(sentJson);
    writer.int8(high, low);
  }
}

/** The values and flags of stored readings as JSON text, in the order asked for; undefined where one is not there any more. */
export async function findStoredValues(
  db: Queryable,
  rows: readonly Pick<ReadingRow, 'deviceId' | 'ts' | 'id'>[],
): Promise<(Pick<ReadingRow, 'metrics' | 'flagsJson'> | undefined)[]> {
  const found = await db.query<{ index: string; metrics: string; flags: string | null }>(
    `select w.index, r.metrics::text as metrics, r.flags::text as flags
     from unnest($1::int[], $2::timestamptz[], $3::bigint[]) with ordinality as w (device_id, ts, msg_id, index)
     join readings r on r.device_id = w.device_id and r.ts = w.ts and r.msg_id = w.msg_id`,
    [
      rows.map((row) => row.deviceId),
      rows.map((row) => new Date(row.ts)),
      rows.map((row) => messageIdText(row.id)),
    ],
  );
  const values: (Pick<ReadingRow, 'metrics' | 'flagsJson'> | undefined)[] = rows.map(() => undefined);
  for (const { index, metrics, flags } of found.rows)
    values[Number(index) - 1] = { metrics: JsonText.of(metrics), flagsJson: flags ?? undefined };
  return values;
}
