import type { DeviceId, SiteId, TenantId } from '../fleet/ids.ts';
import type { TenantStatus } from '../fleet/tenants.ts';
import type { Queryable } from './pool.ts';

/** What ingest must know of a device before it accepts a message from it. */
export interface DeviceIdentity {
  readonly tenantId: TenantId;
  readonly tenant: string;
  readonly tenantStatus: TenantStatus;
  readonly retentionDays: number;
  /** Null when the tenant exists and the device does not. */
  readonly deviceId: DeviceId | null;
  readonly device: string;
  readonly siteId: SiteId | null;
  readonly status: 'ACTIVE' | 'DISABLED' | 'DECOMMISSIONED' | null;
}

interface IdentityRow {
  tenant_id: TenantId;
  tenant: string;
  tenant_status: TenantStatus;
  retention_days: number;
  device_id: DeviceId | null;
  device: string;
  site_id: SiteId | null;
  status: 'ACTIVE' | 'DISABLED' | 'DECOMMISSIONED' | null;
}

/** Looks up many devices at once by (tenant slug, device key). A pair whose tenant is unknown has no row. */
export async function findDeviceIdentities(
  db: Queryable,
  wanted: readonly { readonly tenant: string; readonly device: string }[],
): Promise<DeviceIdentity[]> {
  const found = await db.query<IdentityRow>(
    `select t.id as tenant_id, t.slug as tenant, t.status as tenant_status, t.retention_days,
            d.id as device_id, w.device, d.site_id, d.status
     from unnest($1::text[], $2::text[]) as w (tenant, device)
     join tenants t on t.slug = w.tenant
     left join devices d on d.tenant_id = t.id and d.key = w.device`,
    [wanted.map((pair) => pair.tenant), wanted.map((pair) => pair.device)],
  );
  return found.rows.map((row) => ({
    tenantId: row.tenant_id,
    tenant: row.tenant,
    tenantStatus: row.tenant_status,
    retentionDays: row.retention_days,
    deviceId: row.device_id,
    device: row.device,
    siteId: row.site_id,
    status: row.status,
  }));
}
