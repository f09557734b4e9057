import type { Queryable } from './pool.ts';

/** A certificate with what an event about it needs. */
export interface EndingCertificate {
  readonly tenantId: number;
  readonly tenant: string;
  readonly deviceId: number;
  readonly device: string;
  readonly siteId: number | null;
  readonly version: number;
  readonly serial: string;
  readonly endsAt: Date;
}

/** A certificate that is due a warning, by the days before its end. */
export interface DueWarning extends EndingCertificate {
  readonly days: number;
}

const ABOUT = `c.tenant_id as "tenantId", t.slug as tenant, c.device_id as "deviceId", d.key as device, d.site_id as "siteId", d.version,
  c.serial, least(c.expires_at, c.retires_at) as "endsAt"`;
const LIVE = `c.kind = 'CERTIFICATE' and c.revoked_at is null and c.renewed_by_id is null
  and least(c.expires_at, c.retires_at) > now()`;

/**
 * Notes which certificates end within one of `thresholds` days and were not warned of it, and returns one warning each:
 * that of the narrowest. The wider ones are noted with it, so that none comes late. One that was renewed needs none.
 * Call inside the transaction that tells of them: each certificate and threshold is returned once, ever.
 */
export async function takeDueWarnings(
  db: Queryable,
  thresholds: readonly number[],
  limit: number,
): Promise<DueWarning[]> {
  const { rows } = await db.query<DueWarning>(
    `with due as (
       select c.id from device_credentials c
       where ${LIVE} and (c.expires_at <= now() + $3 * interval '1 day' or c.retires_at <= now() + $3 * interval '1 day')
         and exists (select from unnest($1::int[]) days
           where least(c.expires_at, c.retires_at) <= now() + days * interval '1 day'
             and not exists (select from certificate_warnings w where w.credential_id = c.id and w.days = days.days))
       order by c.id limit $2 for update of c skip locked
     ), noted as (
       insert into certificate_warnings (tenant_id, credential_id, days)
       select c.tenant_id, c.id, days.days from due join device_credentials c using (id) cross join unnest($1::int[]) days
       where least(c.expires_at, c.retires_at) <= now() + days.days * interval '1 day'
       on conflict do nothing returning credential_id, days
     )
     select ${ABOUT}, min(n.days) as days
     from noted n join device_credentials c on c.id = n.credential_id join devices d on d.id = c.device_id
     join tenants t on t.id = c.tenant_id group by c.id, d.id, t.id order by c.id`,
    [[...thresholds], limit, Math.max(...thresholds)],
  );
  return rows;
}

/** Ends certificates whose place another has taken long enough, and returns them. Call inside a transaction. */
export async function retireDue(db: Queryable, limit: number): Promise<EndingCertificate[]> {
  const { rows } = await db.query<EndingCertificate>(
    `update device_credentials c set revoked_at = c.retires_at, revocation_reason = 'SUPERSEDED'
     from devices d, tenants t
     where c.id in (select id from device_credentials where retires_at <= now() and revoked_at is null
         order by id limit $1 for update skip locked)
       and d.id = c.device_id and t.id = c.tenant_id
     returning ${ABOUT}`,
    [limit],
  );
  return rows;
}

/** How many live certificates end within each of `thresholds` days; in their order. */
export async function countEnding(db: Queryable, thresholds: readonly number[]): Promise<number[]> {
  const { rows } = await db.query<{ count: number }>(
    `select count(c.id)::int as count from unnest($1::int[]) with ordinality as w (days, index)
     left join device_credentials c on ${LIVE} and least(c.expires_at, c.retires_at) <= now() + w.days * interval '1 day'
     group by w.index order by w.index`,
    [[...thresholds]],
  );
  return rows.map(({ count }) => count);
}
