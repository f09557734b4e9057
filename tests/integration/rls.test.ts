import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openTestDatabase, type TestDatabase } from '../kit/database.ts';
import { seedEveryTable } from '../kit/every-table.ts';
import { seedTenant, type TenantSeed } from '../kit/seed.ts';

/** Tables that belong to no tenant. Adding one here says that nothing in it does. */
const GLOBAL = [
  '_prisma_migrations',
  'follower_cursors',
  'gateways',
  'ingest_folds',
  'ingest_frames',
  'ingest_repeats',
  'leases',
  'platform_audit_entries',
  'platform_authorities',
  'platform_keys',
  'retired_tenants',
  'sequence_notes',
  'usage_sources',
];

/** Everything that the API may do, and nothing else. */
const APP_GRANTS: Readonly<Record<string, readonly string[]>> = {
  api_key_networks: ['DELETE', 'INSERT', 'SELECT', 'UPDATE'],
  api_keys: ['INSERT', 'SELECT', 'UPDATE'],
  /** Append-only: what was written stays as it was. */
  audit_entries: ['INSERT', 'SELECT'],
  certificate_authorities: ['INSERT', 'SELECT'],
  dead_letters: ['SELECT'],
  claim_codes: ['INSERT', 'SELECT', 'UPDATE'],
  device_credentials: ['INSERT', 'SELECT', 'UPDATE'],
  device_latest: ['SELECT'],
  device_presence: ['SELECT'],
  device_sequences: ['SELECT'],
  device_sessions: ['SELECT'],
  device_templates: ['DELETE', 'INSERT', 'SELECT', 'UPDATE'],
  template_versions: ['DELETE', 'INSERT', 'SELECT', 'UPDATE'],
  device_sensors: ['DELETE', 'INSERT', 'SELECT', 'UPDATE'],
  device_transports: ['DELETE', 'INSERT', 'SELECT', 'UPDATE'],
  device_groups: ['DELETE', 'INSERT', 'SELECT', 'UPDATE'],
  device_group_members: ['DELETE', 'INSERT', 'SELECT', 'UPDATE'],
  device_modules: ['INSERT', 'SELECT', 'UPDATE'],
  device_shadows: ['INSERT', 'SELECT', 'UPDATE'],
  fleet_jobs: ['INSERT', 'SELECT', 'UPDATE'],
  device_commands: ['INSERT', 'SELECT', 'UPDATE'],
  shadow_history: ['INSERT', 'SELECT'],
  command_transitions: ['INSERT', 'SELECT'],
  fleet_job_devices: ['INSERT', 'SELECT'],
  sites: ['DELETE', 'INSERT', 'SELECT', 'UPDATE'],
  devices: ['INSERT', 'SELECT', 'UPDATE'],
  follower_cursors: ['SELECT'],
  ingest_days: ['SELECT'],
  invitations: ['INSERT', 'SELECT', 'UPDATE'],
  members: ['INSERT', 'SELECT', 'UPDATE'],
  mutation_results: ['DELETE', 'INSERT', 'SELECT'],
  outbox: ['INSERT'],
  /** The root's private key is sealed under a key that the database does not have. */
  platform_authorities: ['INSERT', 'SELECT'],
  /** Sealed likewise. */
  platform_keys: ['INSERT', 'SELECT'],
  presence_changes: ['SELECT'],
  provisioned_devices: ['INSERT', 'SELECT'],
  provisioning_tokens: ['INSERT', 'SELECT', 'UPDATE'],
  quarantine: ['SELECT'],
  quarantine_jobs: ['INSERT', 'SELECT'],
  sequence_gaps: ['SELECT'],
  sign_ins: ['INSERT', 'SELECT', 'UPDATE'],
  tenant_devices: ['SELECT'],
  tenant_presence: ['SELECT'],
  tenant_readings: ['SELECT'],
  tenant_usage: ['SELECT'],
  tenants: ['SELECT'],
};

/** Functions that act with their owner's rights, and who may call them. */
const DEFINER: Readonly<Record<string, readonly string[] | null>> = {
  add_usage: ['fleetgraph_app', 'fleetgraph_worker'],
  /** A trigger. */
  announce_limits: null,
  begin_purge: ['fleetgraph_worker'],
  claim_ingest_keys: ['fleetgraph_app'],
  /** Triggers: nobody calls them. */
  credential_changed: null,
  drop_partitions: ['fleetgraph_worker'],
  ensure_partition: ['fleetgraph_worker'],
  find_api_key: ['fleetgraph_app'],
  find_claim_code: ['fleetgraph_app'],
  find_device_access: ['fleetgraph_app'],
  find_provisioning: ['fleetgraph_app'],
  find_invitation: ['fleetgraph_app'],
  find_memberships: ['fleetgraph_app'],
  find_tenant: ['fleetgraph_app'],
  finish_purge: ['fleetgraph_worker'],
  find_tenant_limits: ['fleetgraph_app', 'fleetgraph_worker'],
  fold_ingest_frames: ['fleetgraph_worker'],
  interval_changed: null,
  stored_batches: ['fleetgraph_app'],
  tenant_frame: ['fleetgraph_app'],
  tenant_frame_parts: ['fleetgraph_app'],
  tenant_frames_stored_at: ['fleetgraph_app'],
  template_changed: null,
  tenant_sums: ['fleetgraph_app'],
  purge_tenant_rows: ['fleetgraph_worker'],
};

const ROLES = [
  ...['fleetgraph_app', 'fleetgraph_operator', 'fleetgraph_owner', 'fleetgraph_views', 'fleetgraph_worker'],
];
/** Whom no policy holds back. */
const BYPASSING = ['fleetgraph_operator', 'fleetgraph_views', 'fleetgraph_worker'];

/** Tables with rows of nobody that every tenant reads and none writes. */
const SHARED_TO_READ = ['device_templates', 'template_versions'];
const SHARED_POLICIES = [
  'DELETE (tenant_id = current_tenant())',
  'INSERT (tenant_id = current_tenant())',
  'SELECT ((tenant_id = current_tenant()) OR ((tenant_id IS NULL) AND (current_tenant() IS NOT NULL)))',
  'UPDATE (tenant_id = current_tenant()) (tenant_id = current_tenant())',
].join(';');

/** Views, by name, and of which table each shows a tenant its own rows. */
const VIEWS: Readonly<Record<string, string>> = {
  tenant_devices: 'devices',
  tenant_presence: 'device_presence',
  tenant_readings: 'readings',
};

describe('row-level security', () => {
  let database: TestDatabase;
  let app: Client;
  let a: TenantSeed;
  let b: TenantSeed;

  beforeAll(async () => {
    database = await openTestDatabase();
    await database.admin.query(
      "select ensure_partition('readings', (now() at time zone 'utc')::date), ensure_partition('ingest_frames', (now() at time zone 'utc')::date)",
    );
    app = new Client({ connectionString: database.appUrl });
    await app.connect();
    [a, b] = [await seedTenant(database.admin, 'alpha'), await seedTenant(database.admin, 'bravo')];
    for (const tenant of [a, b]) await seedEveryTable(database.admin, tenant);
  });
  afterAll(async () => {
    await app.end();
    await database[Symbol.asyncDispose]();
  });

  const names = async (text: string): Promise<string[]> => {
    const { rows } = await database.admin.query<{ name: string }>(text);
    return rows.map((row) => row.name).sort();
  };
  const tables = () =>
    names(
      `select relname as name from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') and not relispartition`,
    );

  it('is forced on every table that is not global, with one rule for the API', async () => {
    const { rows } = await database.admin.query<{ name: string; forced: boolean; policy: string | null }>(
      `select c.relname as name, c.relrowsecurity and c.relforcerowsecurity as forced,
         (select string_agg(concat_ws(' ', p.cmd, p.qual, p.with_check), ';' order by p.cmd) from pg_policies p
          where p.schemaname = 'public' and p.tablename = c.relname and 'fleetgraph_app' = any(p.roles)) as policy
       from pg_class c where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition`,
    );
    expect(rows.length).toBeGreaterThan(10);
    for (const { name, forced, policy } of rows) {
      if (GLOBAL.includes(name)) continue;
      const column = name === 'tenants' ? 'id' : 'tenant_id';
      expect({ name, forced, policy }).toEqual({
        name,
        forced: true,
        policy: SHARED_TO_READ.includes(name)
          ? SHARED_POLICIES
          : `ALL (${column} = current_tenant()) (${column} = current_tenant())`,
      });
    }
    expect(await tables()).toEqual(expect.arrayContaining(GLOBAL));
  });

  it('lets the owner’s functions see every row of a tenant, so that its end leaves none', async () => {
    const { rows } = await database.admin.query<{ name: string; policy: string | null }>(
      `select c.relname as name, (select string_agg(p.cmd || ' ' || p.qual || ' ' || p.with_check, ';') from pg_policies p
         where p.schemaname = 'public' and p.tablename = c.relname and p.roles = '{fleetgraph_owner}') as policy
       from pg_class c where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition`,
    );
    for (const { name, policy } of rows)
      if (!GLOBAL.includes(name)) expect({ name, policy }).toEqual({ name, policy: 'ALL true true' });
  });

  it('leaves the API exactly these rights', async () => {
    const { rows } = await database.admin.query<{ table_name: string; rights: string[] }>(
      `select table_name, array_agg(distinct privilege_type::text order by privilege_type::text) as rights
       from information_schema.role_table_grants where grantee in ('fleetgraph_app', 'PUBLIC') and table_schema = 'public' group by table_name`,
    );
    expect(Object.fromEntries(rows.map((row) => [row.table_name, row.rights]))).toEqual(APP_GRANTS);
    expect(
      await names(`select column_name as name from information_schema.role_column_grants g where grantee in ('fleetgraph_app', 'PUBLIC') and table_schema = 'public'
      and not exists (select from information_schema.role_table_grants t where t.table_name = g.table_name and t.grantee = g.grantee)`),
    ).toEqual([]);
  });

  it('lets the API reach no partition, no owner’s table and no sequence directly', async () => {
    const reachable = await names(
      `select c.relname as name from pg_class c where c.relnamespace = 'public'::regnamespace
         and (c.relispartition or c.relkind in ('S', 'm', 'f') or c.relname = 'readings')
         and case when c.relkind = 'S' then has_sequence_privilege('fleetgraph_app', c.oid, 'usage, select, update')
           else has_table_privilege('fleetgraph_app', c.oid, 'select, insert, update, delete, truncate, references') end`,
    );
    expect(reachable).toEqual([]);
    expect(
      await names(
        `select relname as name from pg_class where relispartition and relkind = 'r' and relnamespace = 'public'::regnamespace`,
      ),
    ).toHaveLength(2);
    await expect(app.query('select * from readings')).rejects.toThrow('permission denied');
  });

  it('shows rows only through views that are listed and name the tenant, those of telemetry with a barrier', async () => {
    const { rows } = await database.admin.query<{
      name: string;
      options: string[] | null;
      definition: string;
    }>(
      `select c.relname as name, c.reloptions as options, pg_get_viewdef(c.oid) as definition
       from pg_class c where c.relkind in ('v', 'm') and c.relnamespace = 'public'::regnamespace
         and not exists (select from pg_depend d where d.objid = c.oid and d.deptype = 'e')`,
    );
    expect(rows.map((row) => row.name).sort()).toEqual(Object.keys(VIEWS));
    for (const row of rows) {
      const barrier = row.options?.includes('security_barrier=true') ?? false;
      expect({ name: row.name, barrier }).toEqual({
        name: row.name,
        barrier: row.name === 'tenant_readings',
      });
      expect(row.definition).toContain('tenant_id = current_tenant()');
      expect(row.definition).not.toMatch(/ or /i);
    }
  });

  it('lets functions act with their owner’s rights only where it is listed, and nobody else call them', async () => {
    const { rows } = await database.admin.query<{
      name: string;
      definer: boolean;
      path: boolean;
      callers: string[] | null;
    }>(
      `select p.proname as name, p.prosecdef as definer, coalesce(array_to_string(p.proconfig, ',') like '%search_path=public, pg_temp%', false) as path,
         (select array_agg(r.rolname::text order by r.rolname) from pg_roles r where r.rolname like 'fleetgraph_%' and r.rolname not in ('fleetgraph_owner')
           and has_function_privilege(r.rolname, p.oid, 'execute')) as callers
       from pg_proc p where p.pronamespace = 'public'::regnamespace
         and not exists (select from pg_depend d where d.objid = p.oid and d.deptype = 'e')`,
    );
    const definers = rows.filter((row) => row.definer);
    expect(Object.fromEntries(definers.map((row) => [row.name, row.callers]))).toEqual(DEFINER);
    for (const row of definers)
      expect({ name: row.name, path: row.path }).toEqual({ name: row.name, path: true });
    const { rows: open } = await database.admin.query(
      "select 1 from pg_proc p where pronamespace = 'public'::regnamespace and has_function_privilege('public', p.oid, 'execute') and not exists (select from pg_depend d where d.objid = p.oid and d.deptype = 'e')",
    );
    expect(open).toEqual([]);
  });

  it('gives each role only what it needs', async () => {
    const { rows } = await database.admin.query(
      `select rolname as name, rolsuper as super, rolbypassrls as bypass, rolcreaterole or rolcreatedb or rolreplication as creates
       from pg_roles where rolname like 'fleetgraph_%' order by rolname`,
    );
    expect(rows).toEqual(
      ROLES.map((name) => ({
        name,
        super: false,
        creates: false,
        bypass: BYPASSING.includes(name),
      })),
    );
    const { rows: members } = await database.admin.query(
      "select m.rolname as member, g.rolname as role from pg_auth_members x join pg_roles m on m.oid = x.member join pg_roles g on g.oid = x.roleid where m.rolname like 'fleetgraph_%'",
    );
    expect(members).toEqual([]);
  });

  it('keeps the role that owns views from everything but what they show', async () => {
    const { rows } = await database.admin.query(
      `select c.relname as name, c.relowner = 'fleetgraph_views'::regrole as owned, array_agg(p order by p) as rights
       from pg_class c cross join unnest(array['select', 'insert', 'update', 'delete', 'truncate', 'references', 'trigger']) p
       where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p', 'v', 'm', 'f')
         and not exists (select from pg_depend d where d.objid = c.oid and d.deptype = 'e')
         and has_table_privilege('fleetgraph_views', c.oid, p) group by c.oid order by c.relname`,
    );
    const [own, read] = [
      { owned: true, rights: expect.arrayContaining(['select']) },
      { owned: false, rights: ['select'] },
    ];
    expect(rows).toEqual([
      { name: 'device_presence', ...read },
      { name: 'devices', ...read },
      { name: 'tenant_devices', ...own },
      { name: 'tenant_presence', ...own },
    ]);
    const { rows: rights } = await database.admin.query(
      `select rolcanlogin as login, has_schema_privilege(oid, 'public', 'create') as creates from pg_roles where rolname = 'fleetgraph_views'`,
    );
    expect(rights).toEqual([{ login: false, creates: false }]);
  });

  const readable = () =>
    Object.entries(APP_GRANTS)
      .filter(([name, rights]) => rights.includes('SELECT') && !GLOBAL.includes(name))
      .map(([name]) => name);

  it('shows nothing while no tenant is set', async () => {
    for (const name of readable()) {
      const { rows } = await app.query(`select * from ${name}`);
      expect({ name, rows }).toEqual({ name, rows: [] });
    }
  });

  it('shows one tenant its own rows and no other’s, and takes none for another', async () => {
    for (const name of readable()) {
      const { rows: all } = await database.admin.query<{ n: number }>(
        `select count(*)::int as n from ${VIEWS[name] ?? name}`,
      );
      await app.query('begin');
      await app.query("select set_config('app.tenant_id', $1, true)", [String(a.id)]);
      const { rows } = await app.query<Record<string, unknown>>(`select * from ${name}`);
      await app.query('rollback');
      expect({ name, some: rows.length > 0, less: rows.length < (all[0]?.n ?? 0) }).toEqual({
        name,
        some: true,
        less: true,
      });
      const own = rows.filter((row) => row['tenant_id'] !== null || !SHARED_TO_READ.includes(name));
      expect({ name, own: own.length > 0 }).toEqual({ name, own: true });
      for (const row of own) if ('tenant_id' in row) expect(row['tenant_id']).toBe(a.id);
    }
    await app.query('begin');
    await app.query("select set_config('app.tenant_id', $1, true)", [String(a.id)]);
    await app.query('savepoint s');
    for (const text of [
      `insert into sites (tenant_id, key, name) values (${b.id}, 'x', 'x')`,
      `insert into outbox (tenant_id, shard, subject, payload) values (${b.id}, 0, 's', 'x')`,
      `update devices set tenant_id = ${b.id}`,
      `insert into devices (tenant_id, key, name, site_id) select ${a.id}, 'stolen', 'x', max(id) from (values (${b.id})) v (id)`,
    ]) {
      await expect(app.query(text), text).rejects.toThrow(/row-level security|foreign key/);
      await app.query('rollback to savepoint s');
    }
    expect((await app.query(`update devices set name = 'mine' where tenant_id = ${b.id}`)).rowCount).toBe(0);
    for (const name of SHARED_TO_READ) {
      for (const text of [`update ${name} set version = 9`, `delete from ${name}`]) {
        const shared = `${text} where tenant_id is null`;
        expect({ text, count: (await app.query(shared)).rowCount }).toEqual({ text, count: 0 });
      }
    }
    const theirs = "insert into device_templates (key, name, category) values ('x', 'x', 'SENSOR')";
    await expect(app.query(theirs)).rejects.toThrow('row-level security');
    await app.query('rollback to savepoint s');
    await app.query('rollback');
  });

  it('forgets the tenant with the transaction', async () => {
    await app.query('begin');
    await app.query(`set local app.tenant_id = '${a.id}'`);
    expect((await app.query('select * from devices')).rowCount).toBe(1);
    await app.query('commit');
    expect((await app.query('select * from devices')).rowCount).toBe(0);
  });
});
