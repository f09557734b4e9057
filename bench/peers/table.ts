import pg from 'pg';

/** Where every peer stores, and what the bench asks. */
export const PEER_TABLE = `create table if not exists peer_readings (
  device text not null, seq bigint not null, ts timestamptz(3) not null, metrics jsonb not null,
  stored_at timestamptz(3) not null default clock_timestamp(), primary key (device, seq))`;

export interface PeerReading {
  readonly device: string;
  readonly seq: number;
  readonly ts: Date;
  readonly metrics: string;
}

/** A telemetry message on `tenant/{tenant}/device/{device}/telemetry`. */
export function readMessage(topic: string, payload: Uint8Array): PeerReading {
  const { seq, ts, metrics } = JSON.parse(Buffer.from(payload).toString()) as {
    seq: number;
    ts: number;
    metrics: object;
  };
  return { device: topic.split('/')[3] ?? '', seq, ts: new Date(ts), metrics: JSON.stringify(metrics) };
}

/** Ten connections, as flow tools open them. */
export const openPeerPool = (url: string): pg.Pool => new pg.Pool({ connectionString: url, max: 10 });

/** Many rows in one statement; what is there already stays. */
export async function insertMany(pool: pg.Pool, readings: readonly PeerReading[]): Promise<void> {
  await pool.query({
    name: 'insert-many',
    text: `insert into peer_readings (device, seq, ts, metrics)
           select * from unnest($1::text[], $2::bigint[], $3::timestamptz[], $4::jsonb[]) on conflict do nothing`,
    values: [
      readings.map((reading) => reading.device),
      readings.map((reading) => reading.seq),
      readings.map((reading) => reading.ts),
      readings.map((reading) => reading.metrics),
    ],
  });
}
