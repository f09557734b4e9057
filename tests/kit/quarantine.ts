import { randomUUID } from 'node:crypto';
import type { Pool } from 'pg';
import { encodeGlobalId } from '#api/graphql/global-ids.ts';
import type { TenantSeed } from './seed.ts';

/** Puts a message of a device into quarantine, as ingest does. Returns its id as the API gives it. */
export async function seedQuarantine(
  admin: Pool,
  tenant: Pick<TenantSeed, 'id'>,
  device: string,
  payload = 'no json',
  reason = 'BAD_JSON',
): Promise<string> {
  const { rows } = await admin.query<{ id: string }>(
    `insert into quarantine (tenant_id, device_key, reason, detail, kind, payload, payload_bytes, received_at, batch_id, item_index, part)
     values ($1, $2, $6, 'no json', 'telemetry', $3, $4, now(), $5, 0, 0) returning id`,
    [tenant.id, device, Buffer.from(payload), Buffer.byteLength(payload), randomUUID(), reason],
  );
  return encodeGlobalId('QuarantinedMessage', rows[0]?.id ?? '');
}
