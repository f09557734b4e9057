import type { DeviceId, SiteId, TenantId } from '../fleet/ids.ts';
import type { Profile } from '../fleet/measuring.ts';
import type { TemplateDefinition } from '../fleet/templates.ts';
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
  /** What becomes of its values; without one they stay as they are. */
  readonly profile?: Profile | undefined;
}

/** A version of a template. */
export interface TemplateRef {
  readonly templateId: number;
  readonly version: number;
}

/** What a device's profile is made of, as text: two devices that have the same have the same profile. */
export interface MeasuringTexts {
  readonly template: TemplateRef | undefined;
  /** `MetricMapping[]`. */
  readonly map: string;
  /** Of installed modules, in order of installation: `[template id, version, MetricMapping[]][]`. */
  readonly modules: string;
  /**
   * Active sensors in the order of their metrics: `[metric, type, min, max, template metric, module's template id, its version][]`;
   * empty where the device has no template.
   */
  readonly sensors: string;
}

/** An identity as the database knows it; `measuring` only where there is anything. */
export interface FoundIdentity extends DeviceIdentity {
  readonly measuring: MeasuringTexts | undefined;
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
  template_id: number | null;
  template_version: number | null;
  map: string | null;
  modules: string | null;
  sensors: string | null;
}

/** Looks up many devices at once by (tenant slug, device key). A pair whose tenant is unknown has no row. */
export async function findDeviceIdentities(
  db: Queryable,
  wanted: readonly { readonly tenant: string; readonly device: string }[],
): Promise<FoundIdentity[]> {
  const found = await db.query<IdentityRow>(
    `select t.id as tenant_id, t.slug as tenant, t.status as tenant_status, t.retention_days,
            d.id as device_id, w.device, d.site_id, d.status, d.template_id, d.template_version, d.metric_map::text as map,
            m.modules, s.sensors
     from unnest($1::text[], $2::text[]) as w (tenant, device)
     join tenants t on t.slug = w.tenant
     left join devices d on d.tenant_id = t.id and d.key = w.device
     left join lateral (
       select jsonb_agg(jsonb_build_array(template_id, template_version, metric_map) order by id)::text as modules
       from device_modules where tenant_id = d.tenant_id and device_id = d.id and removed_at is null) m on true
     left join lateral (
       select jsonb_agg(jsonb_build_array(s.metric, s.type, s.min, s.max, s.template_metric, b.template_id, b.template_version)
         order by s.metric)::text as sensors
       from device_sensors s left join device_modules b on b.id = s.module_id
       where s.device_id = d.id and s.active and d.template_id is not null) s on true`,
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
    measuring: measuringOf(row),
  }));
}

function measuringOf(row: IdentityRow): MeasuringTexts | undefined {
  const { template_id: templateId, template_version: version } = row;
  const [map, modules, sensors] = [row.map ?? '[]', row.modules ?? '[]', row.sensors ?? '[]'];
  const template = templateId === null || version === null ? undefined : { templateId, version };
  if (!template && map === '[]' && modules === '[]') return undefined;
  return { template, map, modules, sensors };
}

/** What versions of templates are made of, whoever's they are. One that is gone has no entry. */
export async function findTemplateDefinitions(
  db: Queryable,
  wanted: readonly TemplateRef[],
): Promise<(TemplateRef & { readonly definition: TemplateDefinition })[]> {
  const found = await db.query<{ template_id: number; version: number; definition: TemplateDefinition }>(
    `select v.template_id, v.version, v.definition from unnest($1::int[], $2::int[]) as w (template_id, version)
     join template_versions v using (template_id, version)`,
    [wanted.map((ref) => ref.templateId), wanted.map((ref) => ref.version)],
  );
  return found.rows.map((row) => ({
    templateId: row.template_id,
    version: row.version,
    definition: row.definition,
  }));
}
