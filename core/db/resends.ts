import { contentDigest, messageIdText } from '../fleet/message-id.ts';
import type { Connection } from './pool.ts';
import type { ReadingRow } from './readings.ts';

/** How far apart in time of arrival a message and its resend may be. */
const REMEMBERED = '24 hours';
/** Writers of the same device wait for one another here; few enough for the server's table of locks. */
const LOCK_CLASS = 72707372;
const LOCK_BUCKETS = 64;

/**
 * Of the readings whose device numbered them and gave no time: those that are stored already, within 24 hours of arrival, with the
 * same number and the same content. They were sent again after a lost acknowledgement. The same number with other content is
 * another message: its device counts anew without saying so.
 */
export async function findResends<Row extends ReadingRow>(
  connection: Connection,
  rows: readonly Row[],
): Promise<Set<Row>> {
  const timeless = rows.filter((row) => row.timeless);
  if (timeless.length === 0) return new Set();
  const buckets = [...new Set(timeless.map((row) => row.deviceId % LOCK_BUCKETS))].sort((a, b) => a - b);
  await connection.query('select pg_advisory_xact_lock($1, bucket) from unnest($2::int[]) bucket', [
    LOCK_CLASS,
    buckets,
  ]);
  const found = await connection.query<{ index: number; metrics: Metrics; digest: string | null }>({
    name: 'find-resends',
    text: `select w.index::int - 1 as index, r.metrics, r.sent_digest::text as digest
      from unnest($1::int[], $2::bigint[], $3::timestamptz[]) with ordinality as w (device_id, msg_id, received_at, index)
      join readings r on r.device_id = w.device_id and r.msg_id = w.msg_id and r.timeless
        and r.ts between w.received_at - interval '${REMEMBERED}' and w.received_at + interval '${REMEMBERED}'`,
    values: [
      timeless.map((row) => row.deviceId),
      timeless.map((row) => messageIdText(row.id)),
      timeless.map((row) => new Date(row.receivedAt)),
    ],
  });
  const resends = new Set<Row>();
  for (const { index, ...stored } of found.rows) {
    const row = timeless[index];
    if (row && isResend(stored, row.sentJson ?? row.metrics.toString())) resends.add(row);
  }
  const seen = new Set<string>();
  for (const row of timeless) {
    const sent = `${row.deviceId}/${row.id.high}/${row.id.low}/${row.sentJson ?? row.metrics}`;
    if (seen.has(sent)) resends.add(row);
    seen.add(sent);
  }
  return resends;
}

type Metrics = Readonly<Record<string, unknown>>;

/** Whether a stored reading was sent with this content, whatever map has changed either of them. */
function isResend(
  stored: { readonly metrics: Metrics; readonly digest: string | null },
  sent: string,
): boolean {
  if (stored.digest === null) return isSame(stored.metrics, JSON.parse(sent) as Metrics);
  return stored.digest === messageIdText(contentDigest(sent));
}

function isSame(one: Metrics, other: Metrics): boolean {
  const keys = Object.keys(one);
  return keys.length === Object.keys(other).length && keys.every((key) => one[key] === other[key]);
}
