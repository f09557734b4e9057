import type { Pool } from 'pg';

/** A tenant with many devices, as a fleet of some years has them. */
export interface QueryFleet {
  readonly tenantId: number;
  readonly slug: string;
  readonly devices: number;
  /** Key of the device in the middle of the fleet by key. */
  readonly middleKey: string;
  /** Serial number of that device. */
  readonly middleSerial: string;
  /** Key of a gateway. */
  readonly gatewayKey: string;
}

/** What there is of each kind, from 0 by the number of the device. */
const KINDS = `array['temperature-probe', 'temperature-probe', 'humidity-sensor', 'dc-power-meter', 'ac-power-meter', 'gps-tracker', 'generic']`;
const SHORT = `array['tmp', 'tmp', 'hum', 'dcm', 'acm', 'gps', 'gen']`;
const NAMES = `array['Temperature probe', 'Cabinet probe', 'Humidity sensor', 'DC meter', 'AC meter', 'Tracker', 'Sensor']`;
const PLACES = `array['North depot', 'South yard', 'Harbour', 'Central station', 'Tunnel', 'Substation', 'Workshop', 'Bridge']`;
const CUSTOMERS = `array['acme', 'borealis', 'cobalt', 'delta', 'ember', 'fjord', 'granite', 'helios']`;
/** Devices of one site. */
const SITE = 500;
/** One device in so many is a gateway, and speaks for those behind it. */
const GATEWAY = 20;

/**
 * Makes a tenant with so many devices, with one statement a table: 500 a site, one gateway in twenty, of the system templates, with tags,
 * attributes, places, presence and latest values; 20 static groups of 1 to a tenth of the devices and 20 dynamic ones. The same every time.
 */
export async function seedQueryFleet(database: Pool, slug: string, devices: number): Promise<QueryFleet> {
  const { rows } = await database.query<{ id: number }>(
    'insert into tenants (slug, name) values ($1, $1) returning id',
    [slug],
  );
  const tenantId = rows[0]?.id ?? 0;
  await database.query(
    `insert into sites (tenant_id, key, name, address, latitude, longitude)
     select $1, 'site-' || to_char(n, 'FM0000'), (${PLACES})[1 + n % 8] || ' ' || n, n || ' Rail Street',
       47 + (n * 37 % 1000) / 125.0, 6 + (n * 91 % 1000) / 100.0
     from generate_series(0, ($2::int - 1) / ${SITE}) n`,
    [tenantId, devices],
  );
  await seedDevices(database, tenantId, devices);
  await seedState(database, tenantId);
  await seedGroups(database, tenantId, devices);
  const middle = await database.query<{ key: string; serial: string }>(
    `select key, serial_number as serial from devices where tenant_id = $1 and status = 'ACTIVE' order by key offset $2 limit 1`,
    [tenantId, Math.floor(devices / 2)],
  );
  const [{ key: middleKey, serial: middleSerial } = { key: '', serial: '' }] = middle.rows;
  return { tenantId, slug, devices, middleKey, middleSerial, gatewayKey: 'gw-0000-000000' };
}

async function seedDevices(database: Pool, tenantId: number, devices: number): Promise<void> {
  // Scattered, and the same every time.
  const drawn = (salt: number, most: number) => `(abs(hashint4(n * 31 + ${salt})::bigint) % ${most})::int`;
  // Gateways first: the others name them.
  for (const gateways of [true, false]) {
    await database.query(
      `insert into devices (tenant_id, key, name, serial_number, model, firmware, site_id, status, tags, attributes, latitude, longitude,
         template_id, template_version, parent_id, created_at, decommissioned_at)
       select $1, short || '-' || to_char(n / ${SITE}, 'FM0000') || '-' || to_char(n, 'FM000000'), title || ' ' || (n % ${SITE}) || ', ' || place,
         'SN' || upper(substr(md5(n::text), 1, 10)), upper(short) || '-' || 100 * (1 + ${drawn(1, 4)}),
         '1.' || ${drawn(2, 6)} || '.' || ${drawn(3, 12)}, s.id, state::device_status,
         array['line-' || ${drawn(4, 40)}] || case when ${drawn(5, 3)} = 0 then array['indoor'] else array['outdoor'] end
           || case when ${drawn(6, 50)} = 0 then array['pilot'] else '{}' end || case when ${drawn(7, 500)} = 0 then array['recall'] else '{}' end,
         jsonb_build_object('customer', (${CUSTOMERS})[1 + ${drawn(8, 8)}], 'floor', ${drawn(9, 12)}, 'contract', ${drawn(10, 2000)},
           'critical', ${drawn(11, 20)} = 0),
         s.latitude + (${drawn(12, 1000)} - 500) / 50000.0, s.longitude + (${drawn(13, 1000)} - 500) / 50000.0, t.id, v.version, g.id,
         timestamptz '2026-01-01' - n * interval '7 minutes', case when state = 'DECOMMISSIONED' then now() end
       from (select n, 1 + n % 7 as kind, (${PLACES})[1 + n / ${SITE} % 8] as place,
           case ${drawn(14, 50)} when 0 then 'DISABLED' when 1 then 'DECOMMISSIONED' else 'ACTIVE' end as state
         from generate_series(0, $2::int - 1) n where (n % ${GATEWAY} = 0) = $3) of_number
       cross join lateral (select case when $3 then 'gw' else (${SHORT})[kind] end as short,
         case when $3 then 'Gateway' else (${NAMES})[kind] end as title, case when $3 then 'gateway' else (${KINDS})[kind] end as template) of_kind
       join sites s on s.tenant_id = $1 and s.key = 'site-' || to_char(n / ${SITE}, 'FM0000')
       join device_templates t on t.tenant_id is null and t.key = template
       join (select template_id, max(version) as version from template_versions group by template_id) v on v.template_id = t.id
       left join devices g on not $3 and g.tenant_id = $1
         and g.key = 'gw-' || to_char(n / ${SITE}, 'FM0000') || '-' || to_char(n / ${GATEWAY} * ${GATEWAY}, 'FM000000')
       order by n`,
      [tenantId, devices, gateways],
    );
  }
}

async function seedState(database: Pool, tenantId: number): Promise<void> {
  const drawn = (salt: number, most: number) => `(abs(hashint4(d.id * 31 + ${salt})::bigint) % ${most})::int`;
  // Nothing of it is due, or the evaluator would judge and rewrite all of it while questions are timed.
  await database.query(
    `insert into device_presence (device_id, tenant_id, connection, connection_changed_at, freshness, last_seen_at, credential,
       credential_until, metrics_due_at)
     select id, tenant_id, case when place < 80 then 'ONLINE' when place < 95 then 'OFFLINE' else 'UNKNOWN' end::connectivity,
       now() - place * interval '1 hour', case when place < 75 then 'FRESH' when place < 85 then 'STALE' else 'SILENT' end::freshness,
       now() - ${drawn(2, 100_000)} * interval '1 second', case when place = 40 then 'EXPIRING' else 'ACTIVE' end, null, null
     from (select d.*, ${drawn(1, 100)} as place from devices d where tenant_id = $1) d where ${drawn(3, 40)} > 0`,
    [tenantId],
  );
  await database.query(
    `insert into device_latest (device_id, tenant_id, newest_ts, metrics)
     select p.device_id, p.tenant_id, p.last_seen_at, (select jsonb_object_agg(m.key, jsonb_build_array(round((random() * 100)::numeric, 2),
         at.ms, m.index::text, at.ms + 20)) from unnest(array['temperature', 'humidity', 'battery', 'rssi']) with ordinality m (key, index))
     from device_presence p cross join lateral (select (extract(epoch from p.last_seen_at) * 1000)::bigint as ms) at
     where p.tenant_id = $1`,
    [tenantId],
  );
}

const FILTERS = [
  { tagsAny: ['pilot'] },
  { tagsAll: ['line-7', 'indoor'] },
  { siteKeys: ['site-0000', 'site-0001'] },
  { templateKeys: ['gateway'], connections: ['OFFLINE'] },
  { freshness: ['STALE', 'SILENT'] },
  { attributes: { customer: 'fjord', critical: true } },
  { search: 'harbour meter' },
  { firmwares: ['1.0.0', '1.0.1'], hasParent: true },
  { models: ['TMP-100'], statuses: ['ACTIVE'] },
  {},
];

async function seedGroups(database: Pool, tenantId: number, devices: number): Promise<void> {
  await database.query(
    `insert into device_groups (tenant_id, key, name, kind)
     select $1, 'static-' || n, 'Static ' || n, 'STATIC' from generate_series(0, 19) n`,
    [tenantId],
  );
  await database.query(
    `insert into device_group_members (tenant_id, group_id, device_id)
     select $1, g.id, d.id from device_groups g
     join (select id, abs(hashint4(id)::bigint) % $2::int as place from devices where tenant_id = $1 and status <> 'DECOMMISSIONED') d
       on d.place < greatest(2, $2::int / (10 * (1 + split_part(g.key, '-', 2)::int ^ 3)))
     where g.tenant_id = $1 and g.kind = 'STATIC'`,
    [tenantId, devices],
  );
  await database.query(
    `insert into device_groups (tenant_id, key, name, kind, filter)
     select $1, 'dynamic-' || n, 'Dynamic ' || n, 'DYNAMIC', ($2::jsonb) -> (n % jsonb_array_length($2::jsonb))
     from generate_series(0, 19) n`,
    [tenantId, JSON.stringify(FILTERS)],
  );
}
