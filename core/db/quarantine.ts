import type { QuarantineReason } from '../fleet/telemetry.ts';
import type { Queryable } from './pool.ts';

export interface QuarantineRow {
  readonly tenantId: number;
  readonly deviceId: number | null;
  readonly device: string;
  readonly reason: QuarantineReason;
  readonly detail: string;
  readonly kind: string;
  readonly payload: Uint8Array;
  readonly receivedAt: number;
  readonly itemIndex: number;
  readonly part: number;
}

/** Keeps what was turned away from these frames with its original bytes; what is there already stays. */
export async function insertQuarantine(
  connection: Queryable,
  stored: readonly { frame: { batchId: string }; quarantine: readonly QuarantineRow[] }[],
): Promise<void> {
  const rows = stored.flatMap(({ frame, quarantine }) =>
    quarantine.map((row) => ({ ...row, batchId: frame.batchId })),
  );
  if (rows.length === 0) return;
  await connection.query(
    `insert into quarantine (tenant_id, device_id, device_key, reason, detail, kind, payload, payload_bytes, received_at,
       batch_id, item_index, part)
     select tenant_id, device_id, device_key, reason, detail, kind, payload, length(payload), received_at, batch_id, item_index, part
     from unnest($1::int[], $2::int[], $3::text[], $4::text[], $5::text[], $6::text[], $7::bytea[], $8::timestamptz[], $9::uuid[],
       $10::int[], $11::int[]) as q (tenant_id, device_id, device_key, reason, detail, kind, payload, received_at, batch_id, item_index, part)
     on conflict do nothing`,
    [
      rows.map((row) => row.tenantId),
      rows.map((row) => row.deviceId),
      rows.map((row) => row.device),
      rows.map((row) => row.reason),
      rows.map((row) => row.detail.replaceAll('\u0000', '\\u0000').toWellFormed()),
      rows.map((row) => row.kind),
      rows.map((row) => Buffer.from(row.payload)),
      rows.map((row) => new Date(row.receivedAt)),
      rows.map((row) => row.batchId),
      rows.map((row) => row.itemIndex),
      rows.map((row) => row.part),
    ],
  );
}

/** Keeps what nobody can use, with the reason, for an operator to look at. */
export async function insertDeadLetter(
  db: Queryable,
  letter: {
    readonly stream: string;
    readonly sequence: number;
    readonly itemIndex: number;
    readonly payload: Uint8Array;
    readonly reason: string;
  },
): Promise<void> {
  await db.query(
    'insert into dead_letters (stream, stream_sequence, item_index, payload, reason) values ($1, $2, $3, $4, $5) on conflict do nothing',
    [letter.stream, letter.sequence, letter.itemIndex, Buffer.from(letter.payload), letter.reason],
  );
}
