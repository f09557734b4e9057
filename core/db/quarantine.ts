import type { MessageId } from '../fleet/message-id.ts';
import { messageIdText } from '../fleet/message-id.ts';
import type { QuarantineReason } from '../fleet/telemetry.ts';
import type { Queryable } from './pool.ts';

export interface QuarantineRow {
  readonly tenantId: number;
  readonly deviceId: number | null;
  readonly device: string;
  readonly reason: QuarantineReason;
  readonly detail: string;
  /** Where in the payload the fault is; undefined when it is the whole of it. */
  readonly field: string | undefined;
  readonly kind: string;
  readonly source: string;
  readonly dialect: string;
  readonly keyHash: Uint8Array | undefined;
  /** As in the frame. */
  readonly userProperties: Uint8Array | undefined;
  readonly payload: Uint8Array;
  readonly receivedAt: number;
  readonly itemIndex: number;
  readonly part: number;
  /** Whether the row stands for the whole message, not for one reading among several. */
  readonly whole: boolean;
  /** The row whose replay ended here. */
  readonly replayOf: string | undefined;
}

/** What became of a replay. */
export interface ReplayOutcome {
  readonly quarantineId: string;
  readonly tenantId: number;
  /** ACCEPTED is a sign of life, which leaves no row. */
  readonly outcome: 'STORED' | 'DUPLICATE' | 'QUARANTINED' | 'ACCEPTED' | 'DEAD_LETTERED';
  /** Why it was turned away again. */
  readonly reason: QuarantineReason | undefined;
  readonly reading: { readonly deviceId: number; readonly ts: number; readonly id: MessageId } | undefined;
}

const COLUMNS = `tenant_id, device_id, device_key, reason, detail, kind, payload, received_at, batch_id, item_index, part, whole,
  field, source, dialect, key_hash, replay_of, user_properties`;

/** Of a message no more is kept than this; far above the largest that is accepted, so whatever can be replayed is whole. */
export const MAX_KEPT_BYTES = 65_536;

/** Keeps what was turned away from these frames with its original bytes, up to `MAX_KEPT_BYTES`; what is there already stays. */
export async function insertQuarantine(
  connection: Queryable,
  stored: readonly { frame: { batchId: string }; quarantine: readonly QuarantineRow[] }[],
): Promise<void> {
  const rows = stored.flatMap(({ frame, quarantine }) =>
    quarantine.map((row) => ({ ...row, batchId: frame.batchId })),
  );
  if (rows.length === 0) return;
  await connection.query(
    `insert into quarantine (${COLUMNS}, payload_bytes)
     select ${COLUMNS}, payload_bytes
     from unnest($1::int[], $2::int[], $3::text[], $4::text[], $5::text[], $6::text[], $7::bytea[], $8::timestamptz[], $9::uuid[],
       $10::int[], $11::int[], $12::boolean[], $13::text[], $14::text[], $15::text[], $16::bytea[], $17::bigint[], $18::bytea[], $19::int[]) as q (${COLUMNS}, payload_bytes)
     on conflict do nothing`,
    [
      rows.map((row) => row.tenantId),
      rows.map((row) => row.deviceId),
      rows.map((row) => row.device),
      rows.map((row) => row.reason),
      rows.map((row) => storable(row.detail)),
      rows.map((row) => row.kind),
      rows.map((row) => Buffer.from(row.payload.subarray(0, MAX_KEPT_BYTES))),
      rows.map((row) => new Date(row.receivedAt)),
      rows.map((row) => row.batchId),
      rows.map((row) => row.itemIndex),
      rows.map((row) => row.part),
      rows.map((row) => row.whole),
      rows.map((row) => (row.field === undefined ? null : storable(row.field))),
      rows.map((row) => row.source),
      rows.map((row) => row.dialect),
      rows.map((row) => (row.keyHash ? Buffer.from(row.keyHash) : null)),
      rows.map((row) => row.replayOf ?? null),
      rows.map((row) => (row.userProperties ? Buffer.from(row.userProperties) : null)),
      rows.map((row) => row.payload.length),
    ],
  );
}

/** Text that PostgreSQL holds. */
const storable = (text: string): string => text.replaceAll('\u0000', '\\u0000').toWellFormed();

/** Tells quarantine rows what became of their replays. One that has its outcome keeps it. */
export async function writeReplayOutcomes(
  connection: Queryable,
  outcomes: readonly ReplayOutcome[],
): Promise<void> {
  if (outcomes.length === 0) return;
  await connection.query(
    `update quarantine q set status = 'REPLAYED', resolved_at = now(), outcome = w.outcome, outcome_reason = w.reason,
       reading_device_id = w.device_id, reading_ts = w.ts, reading_msg_id = w.msg_id
     from (
       select distinct on (id) * from unnest($1::bigint[], $2::int[], $3::replay_outcome[], $4::text[], $5::int[], $6::timestamptz[], $7::bigint[])
         as u (id, tenant_id, outcome, reason, device_id, ts, msg_id)
       order by id, outcome = 'QUARANTINED' desc
     ) w
     where q.id = w.id and q.tenant_id = w.tenant_id and q.status = 'REPLAYING'`,
    [
      outcomes.map((each) => each.quarantineId),
      outcomes.map((each) => each.tenantId),
      outcomes.map((each) => each.outcome),
      outcomes.map((each) => each.reason ?? null),
      outcomes.map((each) => each.reading?.deviceId ?? null),
      outcomes.map((each) => (each.reading ? new Date(each.reading.ts) : null)),
      outcomes.map((each) => (each.reading ? messageIdText(each.reading.id) : null)),
    ],
  );
}

/** What nobody could use. */
export interface DeadLetterRow {
  readonly stream: string;
  readonly sequence: number;
  readonly streamedAt: number;
  /** -1 for a whole message of the bus. */
  readonly itemIndex: number;
  readonly payload: Uint8Array;
  readonly reason: string;
  readonly batchId?: string | undefined;
  readonly tenantId?: number | undefined;
  readonly device?: string | undefined;
}

/** Keeps a dead letter with its reason for somebody to look at; the same one twice is kept once. */
export async function insertDeadLetter(db: Queryable, letter: DeadLetterRow): Promise<void> {
  await db.query(
    `insert into dead_letters (stream, stream_sequence, streamed_at, item_index, payload, reason, batch_id, tenant_id, device_key)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9) on conflict do nothing`,
    [
      letter.stream,
      letter.sequence,
      new Date(letter.streamedAt),
      letter.itemIndex,
      Buffer.from(letter.payload),
      letter.reason,
      letter.batchId ?? null,
      letter.tenantId ?? null,
      letter.device ?? null,
    ],
  );
}
