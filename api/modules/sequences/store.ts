import { sql } from '#api/database/sql.ts';
import type { Operation } from '#api/graphql/context.ts';
import { defineLoader } from '#api/graphql/loaders.ts';

export interface SequenceRow {
  readonly deviceId: number;
  readonly boot: number;
  readonly lastSeq: number;
  readonly received: number;
  readonly duplicates: number;
  readonly outOfOrder: number;
  readonly missing: number;
  readonly lastAt: Date;
}

export interface SequenceGapRow {
  readonly fromSeq: number;
  readonly toSeq: number;
  readonly missing: number;
  readonly firstSeenAt: Date;
  readonly healedAt: Date | null;
}

const COLUMNS = sql`device_id as "deviceId", boot, last_seq::float8 as "lastSeq", received::float8, duplicates::float8,
  out_of_order::float8 as "outOfOrder", missing::float8, last_at as "lastAt"`;

/** The life that was heard of last; undefined for a device that never numbered a message. */
export const loadCurrentSequence = defineLoader<number, SequenceRow | undefined>(
  async (operation, deviceIds) => {
    const rows = await operation.read.rows<SequenceRow>(
      sql`select distinct on (device_id) ${COLUMNS} from device_sequences
          where device_id = any(${deviceIds}::int[]) order by device_id, last_at desc, boot desc`,
    );
    return new Map(rows.map((row) => [row.deviceId, row]));
  },
  () => undefined,
);

export async function readSequence(
  operation: Operation,
  deviceId: number,
  boot: number,
): Promise<SequenceRow | undefined> {
  const [row] = await operation.read.rows<SequenceRow>(
    sql`select ${COLUMNS} from device_sequences where device_id = ${deviceId} and boot = ${boot}`,
  );
  return row;
}

/** Gaps of one life of a device, the newest first. */
export async function readGaps(
  operation: Operation,
  { deviceId, boot }: SequenceRow,
  limit: number,
): Promise<SequenceGapRow[]> {
  return operation.read.rows<SequenceGapRow>(
    sql`select from_seq::float8 as "fromSeq", to_seq::float8 as "toSeq", missing::float8, first_seen_at as "firstSeenAt",
          healed_at as "healedAt"
        from sequence_gaps where device_id = ${deviceId} and boot = ${boot}
        order by first_seen_at desc, from_seq desc limit ${limit}`,
  );
}
