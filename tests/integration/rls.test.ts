import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ensurePartitions } from '#core/db/telemetry.ts';
import { openTestDatabase, type TestDatabase } from '#tests/kit/database.ts';
import { seedTenant } from '#tests/kit/seed.ts';

/** What belongs to no tenant, and why the API may see it or not. Anything else must be under FORCED row-level security. */
const GLOBAL_TABLES: Readonly<Record<string, readonly string[]>> = {
  _prisma_migrations: [],
  gateways: [],
  ingest_frames: [],
  leases: [],
  /** Places on a stream, no data of anybody. */
  follower_cursors: ['SELECT'],
};

/** Functions the API may call. Each answers only for the running transaction's tenant, or for a secret that names one. */
const APP_FUNCTIONS = ['current_tenant', 'find_api_key', 'find_tenant'];

const opened = new AsyncDisposableStack();
let database: TestDatabase;
let app: pg.Pool;

beforeAll(async () => {
  database = opened.use(await openTestDatabase());
  app = opened.adopt(new pg.Pool({ connectionString: database.appUrl, max: 2 }), (pool) => pool.end());
  await ensurePartitions(database.worker, 'readings', ['2026-01-01']);
  await ensurePartitions(database.worker, 'ingest_frames', ['2026-01-01']);
});
afterAll(() => opened.disposeAsync());

interface Relation {
  name: string;
  kind: string;
  forced: boolean;
  partition: boolean;
  rights: string[];
}

async function relations(): Promise<Relation[]> {
  const found = await database.admin.query<Relation>(
    `select c.relname as name, c.relkind as kind, c.relrowsecurity and c.relforcerowsecurity as forced, c.relispartition as partition,
       array(select p from unnest(array['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE']) p
             where has_table_privilege('fleetgraph_app', c.oid, p)) as rights
     from pg_class c where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p', 'v', 'm', 'f') order by 1`,
  );
  return found.rows;
}

describe('row-level security', () => {
  it('is forced on every table that is not global by name', async () => {
    const open = (await relations()).filter(
      ({ name, kind, forced, partition }) =>
        'rp'.includes(kind) && !partition && !forced && !(name in GLOBAL_TABLES),
    );
    expect(open.map(({ name }) => name)).toEqual([]);
  });

  it('leaves the API no more than the listed rights on a global table', async () => {
    for (const { name, rights } of await relations())
      if (name in GLOBAL_TABLES) expect({ name, rights }).toEqual({ name, rights: GLOBAL_TABLES[name] });
  });

  it('lets the API reach no partition, and readings only through a security barrier', async () => {
    const all = await relations();
    const partitions = all.filter(({ partition }) => partition);
    expect(partitions.length).toBeGreaterThan(1);
    for (const { name, rights } of [...partitions, ...all.filter(({ name }) => name === 'readings')]) {
      expect({ name, rights }).toEqual({ name, rights: [] });
    }
    const views = await database.admin.query<{ name: string }>(
      `select relname as name from pg_class where relnamespace = 'public'::regnamespace and relkind in ('v', 'm')
         and not coalesce('security_barrier=true' = any(reloptions), false)`,
    );
    expect(views.rows).toEqual([]);
  });

  it('gives every tenant table a policy for the API that compares its tenant on both sides', async () => {
    const policies = await database.admin.query<{ name: string; reads: string; writes: string }>(
      `select tablename as name, qual as reads, with_check as writes from pg_policies where 'fleetgraph_app' = any(roles)`,
    );
    const forced = (await relations()).filter(({ forced, partition }) => forced && !partition);
    expect(policies.rows.map(({ name }) => name).sort()).toEqual(forced.map(({ name }) => name).sort());
    for (const { name, reads, writes } of policies.rows) {
      const column = name === 'tenants' ? 'id' : 'tenant_id';
      expect({ name, reads, writes }).toEqual({
        name,
        reads: `(${column} = current_tenant())`,
        writes: `(${column} = current_tenant())`,
      });
    }
  });

  it('lets the API call only the listed functions of ours, and none by default', async () => {
    const callable = await database.admin.query<{ name: string }>(
      `select p.proname as name from pg_proc p where p.pronamespace = 'public'::regnamespace
         and has_function_privilege('fleetgraph_app', p.oid, 'execute')
         and not exists (select from pg_depend d where d.objid = p.oid and d.deptype = 'e') order by 1`,
    );
    expect(callable.rows.map(({ name }) => name)).toEqual(APP_FUNCTIONS);
  });

  it('is out of the reach of the roles that must not bypass it', async () => {
    const roles = await database.admin.query(
      `select rolname, rolsuper, rolbypassrls, rolcreaterole, rolcreatedb from pg_roles
       where rolname in ('fleetgraph_app', 'fleetgraph_owner', 'fleetgraph_worker', 'fleetgraph_operator') order by 1`,
    );
    const plain = { rolsuper: false, rolcreaterole: false, rolcreatedb: false };
    expect(roles.rows).toEqual([
      { rolname: 'fleetgraph_app', rolbypassrls: false, ...plain },
      { rolname: 'fleetgraph_operator', rolbypassrls: true, ...plain },
      { rolname: 'fleetgraph_owner', rolbypassrls: false, ...plain },
      { rolname: 'fleetgraph_worker', rolbypassrls: true, ...plain },
    ]);
    const members = await database.admin.query(
      `select from pg_auth_members m join pg_roles r on r.oid = m.member where r.rolname = 'fleetgraph_app'`,
    );
    expect(members.rowCount).toBe(0);
  });

  it('shows nothing without a tenant, only its own with one, and refuses to write into another', async () => {
    const [acme, rival] = [
      await seedTenant(database.admin, 'acme'),
      await seedTenant(database.admin, 'rival'),
    ];
    await acme.device('mine');
    await rival.device('theirs');
    expect((await app.query('select from devices')).rowCount).toBe(0);
    const client = await app.connect();
    try {
      await client.query('begin');
      await client.query(`select set_config('app.tenant_id', $1, true)`, [String(acme.id)]);
      expect((await client.query('select key from devices')).rows).toEqual([{ key: 'mine' }]);
      await expect(
        client.query(`insert into devices (tenant_id, key, name) values ($1, 'planted', 'x')`, [rival.id]),
      ).rejects.toThrow('row-level security');
    } finally {
      await client.query('rollback');
      client.release();
    }
  });
});
