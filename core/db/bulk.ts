import { z } from 'zod';
import { DEVICES } from './device-filter.ts';
import type { JobFault, JobHandler, JobHandlers, JobScope } from './jobs.ts';
import { type Sql, type SqlReader, sql } from './sql.ts';

/** Tags that a device carries at most. */
const MAX_TAGS = 32;

/** A device as it is after a change, for whoever is to be told. */
interface BulkChanged {
  id: number;
  key: string;
  siteId: number | null;
  version: number;
  updatedAt: Date;
}

/**
 * What a bulk change does to a device, as SQL over `devices d`: so that it can be counted for any number of devices before it is done, and
 * is done with the same words.
 */
interface Change {
  /** Why a device cannot be changed; the first that applies is its fault. */
  readonly refusals: readonly { readonly code: string; readonly message: string; readonly when: Sql }[];
  /** Whether it is already as it should be. */
  readonly same: Sql;
  /** Taken first, so that what devices are to refer to stays until the transaction ends. */
  readonly lock?: Sql;
  /** Changes devices, which are locked, and returns them. */
  readonly apply: (ids: readonly number[]) => Sql;
  readonly access?: 'ASK' | 'END';
}

const tagsSchema = z.object({ tags: z.array(z.string()).min(1) });
const siteSchema = z.object({ siteId: z.number().nullable() });
const statusSchema = z.object({ status: z.enum(['ACTIVE', 'DISABLED']) });
const groupSchema = z.object({ groupId: z.number() });

export const BULK_KINDS = [
  'devicesTag',
  'devicesUntag',
  'devicesSetSite',
  'devicesSetStatus',
  'devicesAddToGroup',
  'groupRemoveDevices',
] as const;
/** The mutations that change many devices alike. */
export type BulkKind = (typeof BULK_KINDS)[number];

/** How a bulk change would end. */
export interface BulkForecast {
  readonly matched: number;
  readonly changed: number;
  readonly failed: number;
  /** At most 100, by id of the device. */
  readonly faults: readonly JobFault[];
}

/** Faults that are told one by one. */
export const MAX_FAULTS = 100;

const RETURNED = sql`d.id, d.key, d.site_id as "siteId", d.version, d.updated_at as "updatedAt"`;

const decommissioned = {
  code: 'CONFLICT',
  message: 'the device is decommissioned',
  when: sql`d.status = 'DECOMMISSIONED'`,
};

/** @throws ZodError for an input that is not one of the kind */
function changeOf(kind: BulkKind, tenantId: number, input: unknown): Change {
  const set = (assignment: Sql) => (ids: readonly number[]) =>
    sql`
    update devices d set ${assignment}, version = d.version + 1, updated_at = now()
    where d.tenant_id = ${tenantId} and d.id = any(${ids}::int[]) returning ${RETURNED}`;
  switch (kind) {
    case 'devicesTag': {
      const { tags } = tagsSchema.parse(input);
      const after = sql`d.tags || array(select w.tag from unnest(${tags}::text[]) with ordinality w (tag, place)
        where not w.tag = any(d.tags) order by w.place)`;
      const tooMany = `a device carries at most ${MAX_TAGS} tags`;
      return {
        refusals: [
          decommissioned,
          { code: 'VALIDATION', message: tooMany, when: sql`cardinality(${after}) > ${MAX_TAGS}` },
        ],
        same: sql`d.tags @> ${tags}::text[]`,
        apply: set(sql`tags = ${after}`),
      };
    }
    case 'devicesUntag': {
      const { tags } = tagsSchema.parse(input);
      const after = sql`array(select w.tag from unnest(d.tags) with ordinality w (tag, place)
        where not w.tag = any(${tags}::text[]) order by w.place)`;
      return {
        refusals: [decommissioned],
        same: sql`not d.tags && ${tags}::text[]`,
        apply: set(sql`tags = ${after}`),
      };
    }
    case 'devicesSetSite': {
      const { siteId } = siteSchema.parse(input);
      const site = sql`from sites s where s.tenant_id = ${tenantId} and s.id = ${siteId}::int`;
      const gone = { code: 'NOT_FOUND', message: 'the site is gone', when: sql`not exists (select ${site})` };
      return {
        refusals: siteId === null ? [decommissioned] : [gone, decommissioned],
        lock: sql`select ${site} for key share`,
        same: sql`d.site_id is not distinct from ${siteId}::int`,
        apply: set(sql`site_id = ${siteId}::int`),
      };
    }
    case 'devicesSetStatus': {
      const { status } = statusSchema.parse(input);
      return {
        refusals: [decommissioned],
        same: sql`d.status = ${status}::device_status`,
        apply: set(sql`status = ${status}::device_status`),
        access: status === 'DISABLED' ? 'END' : 'ASK',
      };
    }
    case 'devicesAddToGroup':
    case 'groupRemoveDevices':
      return membership(kind, tenantId, groupSchema.parse(input).groupId);
  }
}

/** Its groups are nothing that `deviceUpdate` changes: a device that goes in or out is told of, and keeps its version. */
function membership(
  kind: 'devicesAddToGroup' | 'groupRemoveDevices',
  tenantId: number,
  groupId: number,
): Change {
  const group = sql`from device_groups g where g.tenant_id = ${tenantId} and g.id = ${groupId} and g.kind = 'STATIC'`;
  const isMember = sql`exists (select from device_group_members m where m.group_id = ${groupId} and m.device_id = d.id)`;
  const gone = { code: 'NOT_FOUND', message: 'the group is gone', when: sql`not exists (select ${group})` };
  const write = (ids: readonly number[]) =>
    kind === 'devicesAddToGroup'
      ? sql`insert into device_group_members (tenant_id, group_id, device_id)
          select ${tenantId}, ${groupId}, id from unnest(${ids}::int[]) id on conflict do nothing returning device_id`
      : sql`delete from device_group_members where tenant_id = ${tenantId} and group_id = ${groupId}
          and device_id = any(${ids}::int[]) returning device_id`;
  return {
    refusals: kind === 'devicesAddToGroup' ? [gone, decommissioned] : [gone],
    lock: sql`select ${group} for key share`,
    same: kind === 'devicesAddToGroup' ? isMember : sql`not ${isMember}`,
    apply: (ids) => sql`with written as (${write(ids)})
      select ${RETURNED} from devices d where d.tenant_id = ${tenantId} and d.id in (select device_id from written) order by d.id`,
  };
}

/** The number of the refusal that applies, from 0; null where none does. */
const refusalOf = ({ refusals }: Change): Sql =>
  refusals.reduceRight(
    (otherwise, { when }, index) => sql`case when ${when} then ${index}::int else ${otherwise} end`,
    sql`null::int`,
  );

/** How a bulk change of the devices that meet a condition, on DEVICES, would end now. Two statements, however many they are. */
export async function forecastBulk(
  reader: SqlReader,
  kind: BulkKind,
  tenantId: number,
  input: unknown,
  condition: Sql,
): Promise<BulkForecast> {
  const change = changeOf(kind, tenantId, input);
  const refused = sql`(${refusalOf(change)})`;
  const [counts] = await reader.rows<{ matched: number; changed: number; failed: number }>(
    sql`select count(*)::int as matched, count(*) filter (where ${refused} is not null)::int as failed,
          count(*) filter (where ${refused} is null and not (${change.same}))::int as changed
        from ${DEVICES} where ${condition}`,
  );
  const rows = await reader.rows<{ id: number; refusal: number }>(
    sql`select d.id, ${refused} as refusal from ${DEVICES} where ${condition} and ${refused} is not null
        order by d.id limit ${MAX_FAULTS}`,
  );
  const faults = rows.flatMap(({ id, refusal }) => faultOf(change, id, refusal));
  return {
    matched: counts?.matched ?? 0,
    changed: counts?.changed ?? 0,
    failed: counts?.failed ?? 0,
    faults,
  };
}

function faultOf({ refusals }: Change, deviceId: number, refusal: number | null): JobFault[] {
  const found = refusal === null ? undefined : refusals[refusal];
  return found ? [{ deviceId, code: found.code, message: found.message }] : [];
}

/** Makes the messages that tell of changed devices. */
export type TellOfChanges = (
  scope: JobScope,
  devices: readonly BulkChanged[],
  access: 'ASK' | 'END' | undefined,
) => readonly { readonly subject: string; readonly payload: Buffer }[];

/** Changes devices, and tells of them through the outbox. Those that are as they should be are left alone. */
export const bulkHandler =
  (kind: BulkKind, tell: TellOfChanges): JobHandler =>
  async (scope, input, deviceIds) => {
    const change = changeOf(kind, scope.tenantId, input);
    if (change.lock) await scope.rows(change.lock);
    const rows = await scope.rows<{ id: number; refusal: number | null; same: boolean }>(
      sql`select d.id, ${refusalOf(change)} as refusal, ${change.same} as same from devices d
          where d.tenant_id = ${scope.tenantId} and d.id = any(${deviceIds}::int[]) order by d.id for no key update of d`,
    );
    const there = new Set(rows.map(({ id }) => id));
    const faults: JobFault[] = deviceIds
      .filter((id) => !there.has(id))
      .map((deviceId) => ({ deviceId, code: 'NOT_FOUND', message: 'there is no such device' }));
    faults.push(...rows.flatMap(({ id, refusal }) => faultOf(change, id, refusal)));
    const ids = rows.filter(({ refusal, same }) => refusal === null && !same).map(({ id }) => id);
    if (ids.length === 0) return { changed: 0, faults };
    const changed = await scope.rows<BulkChanged>(change.apply(ids));
    await scope.publish(tell(scope, changed, change.access));
    return { changed: changed.length, faults };
  };

/** A handler for each kind of bulk change. */
export const bulkHandlers = (tell: TellOfChanges): JobHandlers =>
  Object.fromEntries(BULK_KINDS.map((kind) => [kind, bulkHandler(kind, tell)]));
