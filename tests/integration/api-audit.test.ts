import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type AuditEntry, recordAudit } from '#api/graphql/audit.ts';
import { schema } from '#api/graphql/schema.ts';
import { openPool } from '#core/db/pool.ts';
import { REASON, type Recipe, type Scene } from '../audit/recipe.ts';
import { recipes } from '../audit/recipes.ts';
import { openTestApi, type TestApi } from '../kit/api.ts';
import { quiet } from '../kit/nats.ts';
import { seedTenant, type TenantSeed } from '../kit/seed.ts';

const ENTRIES = `query ($where: AuditFilter, $first: Int, $after: String) { auditEntries(where: $where, first: $first, after: $after) {
  nodes { id at action actor { id kind name } target { id type label } before after ip requestId }
  pageInfo { hasNextPage endCursor } } }`;

describe('the audit log', () => {
  let api: TestApi;
  let acme: TenantSeed;
  let admin: string;
  let scene: Scene;

  beforeAll(async () => {
    api = await openTestApi();
    acme = await seedTenant(api.database.admin, 'acme');
    admin = await api.apiKey(acme);
    scene = {
      api,
      acme,
      ask: async (document, variables) => (await api.ask(admin, document, variables)).data,
    };
  });
  afterAll(() => api[Symbol.asyncDispose]());

  const entries = async (where: Record<string, unknown> = {}, credential = admin) => {
    const { data, errors } = await api.ask(credential, ENTRIES, { where, first: 100 });
    expect(errors).toEqual([]);
    return data.auditEntries.nodes;
  };
  const mutate = async (name: string, input: Record<string, unknown>, credential = admin) => {
    const type = `${name[0]?.toUpperCase()}${name.slice(1)}`;
    const { data, errors } = await api.ask(
      credential,
      `mutation ($input: ${type}Input!) { ${name}(input: $input) { __typename } }`,
      { input },
    );
    expect(errors).toEqual([]);
    return data[name].__typename;
  };
  const mutations = Object.keys(schema.getMutationType()?.getFields() ?? {});

  const expectBothLogs = async (name: string, recipe: Recipe, input: Record<string, unknown>) => {
    expect(await mutate(name, input, await api.operator(acme))).toMatch(/Success$/);
    const { rows: own } = await api.database.admin.query(
      `select a.*, t.slug, t.xmin = a.xmin as "sameTransaction" from audit_entries a join tenants t on t.id = a.tenant_id where action = $1`,
      [name],
    );
    expect(own).toEqual([
      expect.objectContaining({
        ...{ actor_kind: 'OPERATOR', actor_id: 'user:root', target_type: 'Tenant' },
        ...{ slug: recipe.target, target_label: recipe.target, before: recipe.before },
        after: { ...Object(recipe.after), reason: REASON },
        sameTransaction: true,
      }),
    ]);
    const { rows: platform } = await api.database.admin.query(
      'select * from platform_audit_entries where action = $1',
      [name],
    );
    expect(platform).toEqual([
      expect.objectContaining({
        ...{ actor_id: 'user:root', reason: REASON, tenants: [recipe.target], ip: '127.0.0.1' },
        ...{ before: recipe.before, after: recipe.after },
      }),
    ]);
  };

  it.each(mutations)('has an entry of %s, in the transaction of the change', async (name) => {
    const recipe = recipes[name];
    if (!recipe) throw new Error(`add a recipe that calls ${name} to its module’s file in tests/audit`);
    const input = await recipe.input(scene);
    if (!recipe.table) return expectBothLogs(name, recipe, input);
    const before = await entries({ actions: [name] });
    const { by } = recipe;
    const caller = by === undefined ? admin : await api.issuer.token({ subject: by });
    expect(await mutate(name, input, caller)).toMatch(/Success$/);
    const [entry, ...rest] = await entries({ actions: [name] });
    expect(rest).toEqual(before);
    expect(entry).toMatchObject({
      action: name,
      actor: by
        ? { kind: 'USER', name: by, id: `user:${by}` }
        : { kind: 'API_KEY', name: 'test', id: expect.stringMatching(/^key:\d+$/) },
      target: { label: recipe.target },
      before: recipe.before,
      after: recipe.after,
      ip: '127.0.0.1',
    });
    const { rows } = await api.database.admin.query(
      'select xmin from audit_entries order by id desc limit 1',
    );
    const changed = await api.database.admin.query(`select from ${recipe.table} where xmin = $1`, [
      rows[0].xmin,
    ]);
    expect(changed.rowCount).toBeGreaterThan(0);
  });

  it('tells a person, the target by an id that finds it, and the id of the request', async () => {
    const token = await api.issuer.token({ tenant: 'acme', roles: ['admin'] });
    const { data, headers } = await api.ask(
      token,
      'mutation { deviceCreate(input: { key: "by-person" }) { ... on DeviceCreateSuccess { device { id } } } }',
    );
    const [entry] = await entries({ target: 'by-person' });
    expect(entry.actor).toMatchObject({ kind: 'USER', id: expect.stringMatching(/^user:/) });
    expect(entry.target).toEqual({ id: data.deviceCreate.device.id, type: 'Device', label: 'by-person' });
    expect(entry.requestId).toBe(headers.get('x-request-id'));
    const found = await api.ask(admin, `{ node(id: "${entry.id}") { ... on AuditEntry { action } } }`);
    expect(found.data.node).toEqual({ action: 'deviceCreate' });
  });

  it('has nothing of what was refused, and one entry of what was sent twice', async () => {
    const count = async () => (await entries({ actions: ['deviceCreate'] })).length;
    const before = await count();
    expect(await mutate('deviceCreate', { key: 'bad key' })).toBe('ValidationError');
    expect(await mutate('deviceCreate', { key: 'x' }, await api.apiKey(acme, 'VIEWER'))).toBe(
      'ForbiddenError',
    );
    expect(await count()).toBe(before);
    const input = { key: 'sent-twice', clientMutationId: 'twice' };
    await mutate('deviceCreate', input);
    await mutate('deviceCreate', input);
    expect(await count()).toBe(before + 1);
  });

  it('takes what is no mutation too, of whoever did it, and none of another tenant', async () => {
    const pool = openPool({ url: api.database.appUrl, name: 'test', max: 1, log: quiet });
    try {
      const entry: AuditEntry = {
        tenantId: acme.id,
        actor: { kind: 'OPERATOR', id: 'user:root', name: 'Root' },
        action: 'signIn',
        target: { type: 'User', id: 'root', label: 'Root' },
        before: null,
        after: { password: 'hunter2', country: 'DE' },
        ip: '192.0.2.1',
        requestId: 'r-1',
      };
      await recordAudit(pool, entry);
      expect((await entries({ actions: ['signIn'] }))[0]).toMatchObject({
        actor: { kind: 'OPERATOR', id: 'user:root', name: 'Root' },
        target: { type: 'User', label: 'Root' },
        after: { password: '[redacted]', country: 'DE' },
        ip: '192.0.2.1',
        requestId: 'r-1',
      });
      const stranger = await seedTenant(api.database.admin, 'stranger');
      expect(await entries({ actions: ['signIn'] }, await api.apiKey(stranger))).toEqual([]);
      await expect(recordAudit(pool, { ...entry, tenantId: 0 })).rejects.toThrow('foreign key');
    } finally {
      await pool.end();
    }
  });

  it('can be altered, emptied or cut by nobody who serves requests', async () => {
    const { rows } = await api.database.admin.query<{ count: string }>('select count(*) from audit_entries');
    for (const url of [api.database.appUrl, api.database.workerUrl]) {
      const pool = openPool({ url, name: 'test', max: 1, log: quiet });
      try {
        for (const text of [
          "update audit_entries set action = 'x'",
          'delete from audit_entries',
          'truncate audit_entries',
        ])
          await expect(pool.query(text), text).rejects.toThrow('permission denied');
      } finally {
        await pool.end();
      }
    }
    const after = await api.database.admin.query('select count(*) from audit_entries');
    expect(after.rows).toEqual(rows);
  });

  it('is filtered by actor, action, target and time, and walked newest first', async () => {
    const other = await seedTenant(api.database.admin, 'walked');
    const key = await other.apiKey();
    const person = await api.issuer.token({ tenant: 'walked', roles: ['admin'] });
    for (const [index, credential] of [key, key, person, key, person].entries())
      await mutate('deviceCreate', { key: `walked-${index}` }, credential);
    const actions = ['deviceCreate'];
    const labels = async (where: Record<string, unknown>) =>
      (await entries({ actions, ...where }, key)).map(
        (entry: { target: { label: string } }) => entry.target.label,
      );
    const all = await entries({ actions }, key);
    expect(all.map((entry: { target: { label: string } }) => entry.target.label)).toEqual(
      [4, 3, 2, 1, 0].map((index) => `walked-${index}`),
    );
    expect(await labels({ actor: all[0].actor.id })).toEqual(['walked-4', 'walked-2']);
    expect(await labels({ actor: 'TEST' })).toEqual(['walked-3', 'walked-1', 'walked-0']);
    expect(await labels({ target: 'ked-3' })).toEqual(['walked-3']);
    expect(await labels({ target: all[2].target.id })).toEqual(['walked-2']);
    expect(await labels({ actions: ['deviceUpdate'] })).toEqual([]);
    expect(await labels({ from: all[2].at, to: all[1].at })).toContain('walked-2');
    expect(await labels({ to: all[4].at })).toEqual([]);
    const walked: string[] = [];
    let after: string | null = null;
    do {
      const {
        data,
      }: {
        data: {
          auditEntries: {
            nodes: { target: { label: string } }[];
            pageInfo: { hasNextPage: boolean; endCursor: string };
          };
        };
      } = await api.ask(key, ENTRIES, { where: { actions }, first: 2, after });
      walked.push(...data.auditEntries.nodes.map((entry) => entry.target.label));
      after = data.auditEntries.pageInfo.hasNextPage ? data.auditEntries.pageInfo.endCursor : null;
    } while (after !== null);
    expect(walked).toEqual([4, 3, 2, 1, 0].map((index) => `walked-${index}`));
  });

  it('is read by admins only, and altered by nobody through the API', async () => {
    for (const role of ['VIEWER', 'OPERATOR', 'ENGINEER'] as const) {
      const { errors } = await api.ask(await api.apiKey(acme, role), ENTRIES);
      expect(errors[0]?.extensions?.['code']).toBe('FORBIDDEN');
    }
    const { rows } = await api.database.admin.query<{ right: string }>(
      `select p as right from unnest(array['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE']) p
       where has_table_privilege('fleetgraph_app', 'audit_entries', p)`,
    );
    expect(rows.map(({ right }) => right)).toEqual(['SELECT', 'INSERT']);
  });
});
