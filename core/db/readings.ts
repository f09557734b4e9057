import type { MessageId } from '../fleet/message-id.ts';
import { messageIdText } from '../fleet/message-id.ts';
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
  /** The metrics as JSON text. */
  readonly metricsJson: string;
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
    await copyIn(connection, `copy readings (${COLUMNS}) from stdin (format binary)`, encodeRows(rows));
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
  await copyIn(
    connection,
    `copy incoming_readings (${COLUMNS}) from stdin (format binary)`,
    encodeRows(firstOfEach(rows)),
  );
  const inserted = await connection.query<{ device_id: number; ts: Date; msg_id: string }>(
    `insert into readings (${COLUMNS}) select ${COLUMNS} from incoming_readings order by device_id, ts, msg_id
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

function encodeRows(rows: readonly ReadingRow[]): Buffer {
  const writer = new CopyWriter(rows.length * 192);
  for (const row of rows) {
    writer.row(10);
    writer.int4(row.tenantId);
    writer.int4(row.deviceId);
    writer.timestamptz(row.ts);
    writer.int8(row.id.high, row.id.low);
    writer.timestamptz(row.receivedAt);
    writer.float8(row.lat);
    writer.float8(row.lng);
    writer.bool(row.dupPossible);
    writer.bool(row.timeless);
    writer.jsonb(row.metricsJson);
  }
  return writer.finish();
}
