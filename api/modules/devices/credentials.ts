import type { ReadScope } from '#api/database/read-scope.ts';
import { sql } from '#api/database/sql.ts';
import type { Operation } from '#api/graphql/context.ts';
import { defineLoader } from '#api/graphql/loaders.ts';
import type { RevocationReason } from '#core/auth/revocation-list.ts';
import {
  type CredentialLife,
  type CredentialState,
  credentialStateAt,
} from '#core/fleet/credential-state.ts';

export interface CredentialRow {
  readonly id: number;
  readonly deviceId: number;
  readonly kind: 'TOKEN' | 'CERTIFICATE';
  readonly hint: string;
  readonly createdAt: Date;
  readonly expiresAt: Date | null;
  readonly lastUsedAt: Date | null;
  readonly revokedAt: Date | null;
  /** Of a certificate, like all below; null for a token. */
  readonly serial: string | null;
  readonly fingerprint: string | null;
  readonly notBefore: Date | null;
  readonly revocationReason: RevocationReason | null;
  readonly retiresAt: Date | null;
  readonly renewedById: number | null;
  readonly authorityGeneration: number | null;
}

/** Never the hash of a secret; the hash of a certificate is no secret. */
export const CREDENTIAL_COLUMNS = sql`id, device_id as "deviceId", kind, hint, created_at as "createdAt", expires_at as "expiresAt",
  last_used_at as "lastUsedAt", revoked_at as "revokedAt", serial, not_before as "notBefore",
  case kind when 'CERTIFICATE' then encode(secret_hash, 'hex') end as fingerprint,
  revocation_reason as "revocationReason", retires_at as "retiresAt", renewed_by_id as "renewedById",
  authority_generation as "authorityGeneration"`;

export const loadCredential = defineLoader<number, CredentialRow | undefined>(
  async (operation, ids) => {
    const rows = await operation.read.rows<CredentialRow>(
      sql`select ${CREDENTIAL_COLUMNS} from device_credentials where id = any(${ids}::int[])`,
    );
    return new Map(rows.map((row) => [row.id, row]));
  },
  () => undefined,
);

/** Every credential a device ever had, newest first. */
export const loadCredentials = defineLoader<number, readonly CredentialRow[]>(
  async (operation, deviceIds) => {
    const rows = await operation.read.rows<CredentialRow>(
      sql`select ${CREDENTIAL_COLUMNS} from device_credentials where device_id = any(${deviceIds}::int[]) order by id desc`,
    );
    return Map.groupBy(rows, (row) => row.deviceId);
  },
  () => [],
);

export async function readCredentialStates(
  scope: ReadScope,
  deviceIds: readonly number[],
): Promise<Map<number, CredentialState>> {
  const rows = await scope.rows<{ deviceId: number; expiresAt: Date | null; revoked: boolean }>(
    sql`select device_id as "deviceId", least(expires_at, retires_at) as "expiresAt", revoked_at is not null as revoked
        from device_credentials where device_id = any(${deviceIds}::int[])`,
  );
  const now = Date.now();
  const states = new Map<number, CredentialState>();
  for (const [deviceId, credentials] of Map.groupBy(rows, (row) => row.deviceId)) {
    const lives = credentials.map(({ expiresAt, revoked }): CredentialLife => {
      return { expiresAt: expiresAt?.getTime() ?? null, revoked };
    });
    states.set(deviceId, credentialStateAt(now, lives).state);
  }
  return states;
}

/** A subscription asks the device cache. */
export const loadCredentialState = defineLoader<number, CredentialState>(
  async (operation: Operation, deviceIds) =>
    operation.isLive()
      ? operation.platform.devices.readCredentialStates(operation, deviceIds)
      : readCredentialStates(operation.read, deviceIds),
  () => 'NONE',
);
