import type { DeviceId } from '../fleet/ids.ts';
import type { Queryable } from './pool.ts';

/** A device's use of an idempotency key; both hashes are SHA-256. */
export interface KeyUse {
  readonly deviceId: DeviceId;
  readonly keyHash: Uint8Array;
  readonly bodyHash: Uint8Array;
}

/** What a key was first used for. */
export interface FirstUse {
  readonly receivedAt: number;
  readonly bodyHash: Uint8Array;
}

interface FirstUseRow {
  received_at: Date;
  body_hash: Buffer;
}

/** Notes the first use of each key, at `arrivedAt`, and returns what each was first used for, in the same order. */
export async function claimIngestKeys(
  database: Queryable,
  uses: readonly KeyUse[],
  arrivedAt: number,
): Promise<FirstUse[]> {
  const { rows } = await database.query<FirstUseRow>({
    name: 'claim-ingest-keys',
    text: 'select * from claim_ingest_keys($1, $2, $3, $4)',
    values: [
      uses.map((use) => use.deviceId),
      uses.map((use) => use.keyHash),
      uses.map((use) => use.bodyHash),
      new Date(arrivedAt),
    ],
  });
  return rows.map((row) => ({ receivedAt: row.received_at.getTime(), bodyHash: row.body_hash }));
}
