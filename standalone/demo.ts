import type pg from 'pg';
import { hashApiSecret } from '#core/auth/api-keys.ts';
import { createDeviceSecret, hashDeviceSecret, hintOf } from '#core/auth/device-credentials.ts';
import type { LastingKeys } from '#core/auth/lasting-keys.ts';
import type { Person } from './identity.ts';
import { withClient } from './roles.ts';
import { type Secrets, saveSecrets } from './secrets.ts';

/** A tenant that has the demo's people, sites and devices. */
export interface DemoTenant {
  readonly slug: string;
  readonly name: string;
}

/** The one that every start makes. */
export const ACME: DemoTenant = { slug: 'acme', name: 'Acme Rail' };
/** Home of those who operate the platform; has no devices. */
const OPERATORS = 'platform';

const SITES = [
  { key: 'north-yard', name: 'North yard', timezone: 'Europe/Berlin', latitude: 53.5511, longitude: 9.9937 },
  {
    key: 'harbour',
    name: 'Harbour terminal',
    timezone: 'Europe/Amsterdam',
    latitude: 51.9496,
    longitude: 4.1453,
  },
] as const;

interface DemoDevice {
  readonly key: string;
  readonly name: string;
  readonly site: (typeof SITES)[number]['key'];
  readonly tags: readonly string[];
  readonly model: string;
}

const kind =
  (prefix: string, name: string, tags: readonly string[], model: string) =>
  (number: number, site: DemoDevice['site']) => ({
    ...{ key: `${prefix}-0${number}`, name: `${name} ${number}`, site, tags, model },
  });
const loco = kind('loco', 'Locomotive', ['rolling-stock'], 'BR 294');
const reefer = kind('reefer', 'Reefer container', ['cold-chain'], 'ThermoLine 40');
const meter = kind('meter', 'Power meter', ['energy'], 'PM 5110');

/** The ten that the simulator plays. */
const SIMULATED: readonly DemoDevice[] = [
  ...[1, 2, 3].map((number) => loco(number, 'north-yard')),
  ...[1, 2, 3, 4].map((number) => reefer(number, 'harbour')),
  ...[1, 2, 3].map((number) => meter(number, 'north-yard')),
];

/** Nobody plays this one: the printed commands and the tests publish as it. */
const HANDS_ON: DemoDevice = {
  ...{
    key: 'first-device',
    name: 'Your first device',
    site: 'north-yard',
    tags: ['hands-on'],
    model: 'mosquitto_pub',
  },
};

export interface DeviceLogin {
  readonly tenant: string;
  readonly key: string;
  readonly username: string;
  readonly password: string;
}

export interface Demo {
  readonly apiKey: string;
  /** Empty without demo data. */
  readonly simulated: readonly DeviceLogin[];
  readonly handsOn: DeviceLogin | null;
}

/** Who can sign in to the demo: one for each of three roles, and an operator of the platform. */
export function demoPeople(secrets: Secrets): Person[] {
  return [
    ...peopleOf(ACME, secrets),
    {
      ...{ id: 'platform-otto', email: 'otto@platform.test', name: 'Otto Operator' },
      ...{ tenant: OPERATORS, role: 'VIEWER', operator: true, password: secrets.people.operator },
    },
  ];
}

/** Who can sign in to such a tenant: one for each of three roles. */
export function peopleOf({ slug }: DemoTenant, { people }: Pick<Secrets, 'people'>): Person[] {
  const person = (id: string, name: string, role: Person['role'], password: string) => ({
    ...{ id: `${slug}-${id}`, email: `${id}@${slug}.test`, name, tenant: slug, role, password },
  });
  return [
    person('ada', 'Ada Admin', 'ADMIN', people.admin),
    person('eng', 'Emil Engineer', 'ENGINEER', people.engineer),
    person('viewer', 'Vera Viewer', 'VIEWER', people.viewer),
  ];
}

export interface SeedOptions {
  readonly databaseUrl: string;
  /** Default: the demo's own. */
  readonly tenant?: DemoTenant;
  readonly secrets: Secrets;
  /** What stored secrets are hashed under. */
  readonly keys: LastingKeys;
  /** Device tokens made here are kept in its `secrets.json`. */
  readonly dataDir: string;
  /** False: the tenant and its API key only. */
  readonly devices: boolean;
}

/** Adds what is missing of the demo and changes nothing else, so that every start can call it. */
export async function seedDemo(options: SeedOptions): Promise<Demo> {
  const { secrets, dataDir, tenant = ACME } = options;
  const wanted = options.devices ? [...SIMULATED, HANDS_ON] : [];
  for (const { key } of wanted) secrets.devices[key] ??= createDeviceSecret();
  saveSecrets(dataDir, secrets);
  await withClient(options.databaseUrl, async (client) => {
    await client.query('begin');
    await client.query('set local role fleetgraph_owner');
    const tenantId = await seedTenant(client, tenant, secrets, options.keys);
    if (options.devices) await seedSites(client, tenantId);
    for (const device of wanted) await seedDevice(client, tenantId, device, secrets, options.keys);
    await client.query('commit');
  });
  const login = ({ key }: DemoDevice): DeviceLogin => ({
    ...{ tenant: tenant.slug, key, username: `${tenant.slug}/${key}`, password: secrets.devices[key] ?? '' },
  });
  return {
    apiKey: `fgk_${secrets.apiKey.prefix}_${secrets.apiKey.secret}`,
    simulated: options.devices ? SIMULATED.map(login) : [],
    handsOn: options.devices ? login(HANDS_ON) : null,
  };
}

async function seedTenant(
  client: pg.Client,
  { slug, name }: DemoTenant,
  secrets: Secrets,
  keys: LastingKeys,
): Promise<number> {
  await client.query(
    `insert into tenants (slug, name) values ($1, $2), ($3, 'Platform') on conflict (slug) do nothing`,
    [slug, name, OPERATORS],
  );
  const { rows } = await client.query<{ id: number }>('select id from tenants where slug = $1', [slug]);
  const tenantId = rows[0]?.id ?? 0;
  const hash = hashApiSecret(keys['api-key'], secrets.apiKey.secret);
  await client.query(
    `insert into api_keys (tenant_id, prefix, secret_hash, name, role) values ($1, $2, $3, 'Demo', 'ADMIN')
     on conflict (prefix) do nothing`,
    [tenantId, secrets.apiKey.prefix, hash],
  );
  return tenantId;
}

async function seedSites(client: pg.Client, tenantId: number): Promise<void> {
  for (const { key, name, timezone, latitude, longitude } of SITES) {
    await client.query(
      `insert into sites (tenant_id, key, name, timezone, latitude, longitude) values ($1, $2, $3, $4, $5, $6)
       on conflict (tenant_id, key) do nothing`,
      [tenantId, key, name, timezone, latitude, longitude],
    );
  }
}

/** A credential that somebody revoked stays revoked: it is recognised by its hash. */
async function seedDevice(
  client: pg.Client,
  tenantId: number,
  device: DemoDevice,
  secrets: Secrets,
  keys: LastingKeys,
): Promise<void> {
  const secret = secrets.devices[device.key] ?? '';
  const hash = hashDeviceSecret(keys['device-token'], secret);
  await client.query(
    `insert into devices (tenant_id, key, name, site_id, tags, model, latitude, longitude, expected_interval_seconds)
     select $1, $2, $3, id, $5, $6, latitude, longitude, 30 from sites where tenant_id = $1 and key = $4
     on conflict (tenant_id, key) do nothing`,
    [tenantId, device.key, device.name, device.site, device.tags, device.model],
  );
  await client.query(
    `insert into device_credentials (tenant_id, device_id, kind, secret_hash, hint)
     select $1, d.id, 'TOKEN', $3, $4 from devices d
     where d.tenant_id = $1 and d.key = $2
       and not exists (select from device_credentials c where c.device_id = d.id and c.secret_hash = $3)`,
    [tenantId, device.key, hash, hintOf(secret)],
  );
}
