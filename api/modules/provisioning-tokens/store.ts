import type { Pool } from 'pg';
import { translateFailure } from '#api/database/failures.ts';
import { sql } from '#api/database/sql.ts';
import type { Operation } from '#api/graphql/context.ts';
import { defineLoader } from '#api/graphql/loaders.ts';
import { type Keyset, type Page, type PageArgs, planPage } from '#api/graphql/paging.ts';
import type { DeviceId, TenantId } from '#core/fleet/ids.ts';

export interface ProvisioningTokenRow {
  readonly id: number;
  readonly name: string;
  readonly hint: string;
  readonly keyPrefix: string;
  readonly siteId: number | null;
  readonly maxDevicesPerHour: number;
  readonly createdAt: Date;
  readonly expiresAt: Date;
  readonly revokedAt: Date | null;
}

/** Never the hash of a token. */
const COLUMNS = sql`p.id, p.name, p.hint, p.key_prefix as "keyPrefix", p.site_id as "siteId",
  p.max_devices_per_hour as "maxDevicesPerHour", p.created_at as "createdAt", p.expires_at as "expiresAt",
  p.revoked_at as "revokedAt"`;
const NEWEST: Keyset = {
  name: 'provisioningTokens/newest',
  columns: [{ expression: sql`p.id`, type: 'int' }],
  descending: true,
};

export const loadProvisioningToken = defineLoader<number, ProvisioningTokenRow | undefined>(
  async (operation, ids) => {
    const rows = await operation.read.rows<ProvisioningTokenRow>(
      sql`select ${COLUMNS} from provisioning_tokens p where p.id = any(${ids}::int[])`,
    );
    return new Map(rows.map((row) => [row.id, row]));
  },
  () => undefined,
);

/** How many devices each token has made. */
export const loadDeviceCount = defineLoader<number, number>(
  async (operation, ids) => {
    const rows = await operation.read.rows<{ id: number; count: number }>(
      sql`select token_id as id, count(*)::int as count from provisioned_devices
          where token_id = any(${ids}::int[]) group by token_id`,
    );
    return new Map(rows.map((row) => [row.id, row.count]));
  },
  () => 0,
);

/** Newest first, the revoked and expired ones too. */
export async function readProvisioningTokens(
  operation: Operation,
  args: PageArgs,
): Promise<Page<ProvisioningTokenRow>> {
  const page = planPage(args, NEWEST);
  const rows = await operation.read.rows<ProvisioningTokenRow>(
    sql`select ${COLUMNS} from provisioning_tokens p where ${page.condition} order by ${page.orderBy} limit ${page.limit}`,
  );
  return page.toPage(rows, (token) => [String(token.id)]);
}

export async function countProvisioningTokens(operation: Operation): Promise<number> {
  const [row] = await operation.read.rows<{ count: number }>(
    sql`select count(*)::int as count from provisioning_tokens`,
  );
  return row?.count ?? 0;
}

/** A token as presented for a device. */
export interface PresentedToken {
  readonly hash: Buffer;
  readonly tenant: string;
  readonly device: string;
}

/** A token that is good, and the device it was presented for as far as there is one. */
export interface Provisioning {
  readonly index: number;
  readonly tokenId: number;
  readonly tenantId: TenantId;
  readonly tenantActive: boolean;
  readonly name: string;
  readonly keyPrefix: string;
  readonly deviceId: DeviceId | null;
  readonly deviceActive: boolean | null;
  readonly deviceIsOwn: boolean;
}

/** One answer each, in the same order, whoever asks: nothing is known about the asker yet. Undefined where the token is not good there. */
export async function findProvisioning(
  pool: Pool,
  presented: readonly PresentedToken[],
): Promise<(Provisioning | undefined)[]> {
  const { rows } = await pool
    .query<Provisioning>({
      name: 'find-provisioning',
      text: `select index, token_id as "tokenId", tenant_id as "tenantId", tenant_active as "tenantActive", name,
        key_prefix as "keyPrefix", device_id as "deviceId", device_active as "deviceActive", device_is_own as "deviceIsOwn"
        from find_provisioning($1, $2, $3)`,
      values: [
        presented.map(({ hash }) => hash),
        presented.map(({ tenant }) => tenant),
        presented.map(({ device }) => device),
      ],
    })
    .catch((error: unknown) => {
      throw translateFailure(error);
    });
  const byIndex = new Map(rows.map((row) => [row.index, row]));
  return presented.map((_, index) => byIndex.get(index));
}
