import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { deriveKey } from '#core/auth/keys.ts';
import { createSecretBox } from '#core/auth/secrets.ts';
import { openTestApi, type TestApi } from '../kit/api.ts';
import { seedTenant, TEST_SECRET, type TenantSeed } from '../kit/seed.ts';
import { until } from '../kit/wait.ts';

const EXPORT = `mutation ($input: AuditExportCreateInput!) { auditExportCreate(input: $input) { __typename
  ... on AuditExportCreateSuccess { url expiresAt } ... on UserError { code message path } } }`;
const ROWS = 20_000;

describe('a file of the audit log', () => {
  let api: TestApi;
  let acme: TenantSeed;
  let admin: string;

  beforeAll(async () => {
    api = await openTestApi();
    acme = await seedTenant(api.database.admin, 'acme');
    const other = await seedTenant(api.database.admin, 'other');
    admin = await api.apiKey(acme);
    const insert = (text: string, ...values: unknown[]) =>
      api.database.admin.query(
        `insert into audit_entries (tenant_id, at, actor_kind, actor_id, actor_name, action, target_type, target_id, target_label, before, after, ip, request_id) ${text}`,
        values,
      );
    // Many share an instant: the order goes on by number.
    await insert(
      `select $1, '2026-01-02T00:00:00Z'::timestamptz + (n / 7) * interval '1 ms', 'USER', 'user:a', 'Ada', 'deviceUpdate', 'Device', n, 'pump-' || n,
         null, jsonb_build_object('note', repeat('x', 200)), '192.0.2.1', 'r-' || n from generate_series(1, ${ROWS}) n`,
      acme.id,
    );
    await insert(
      `values ($1, '2026-02-01T00:00:00Z', 'API_KEY', 'key:1', '=HYPERLINK("http://evil")', 'apiKeyCreate', 'ApiKey', 1, 'a "b", c', '{"secret":"hunter2"}', '{"n":[1,2]}', null, 'r')`,
      acme.id,
    );
    await insert(
      `values ($1, '2026-02-01T00:00:00Z', 'USER', 'user:x', 'Stranger', 'deviceUpdate', 'Device', 1, 'theirs', null, null, null, 'r')`,
      other.id,
    );
  });
  afterAll(() => api[Symbol.asyncDispose]());

  const make = async (input: Record<string, unknown>, credential = admin) => {
    const { data, errors } = await api.ask(credential, EXPORT, { input });
    return { ...data?.auditExportCreate, errors };
  };
  const linkOf = async (input: Record<string, unknown>) => {
    const { url } = await make(input);
    const { pathname, search } = new URL(url);
    return `${api.url}${pathname}${search}`;
  };
  const download = async (link: string) => {
    const response = await fetch(link);
    return { response, text: await response.text() };
  };

  it('has every entry once, oldest first, as JSON lines', async () => {
    const { response, text } = await download(await linkOf({ format: 'JSONL' }));
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe('application/x-ndjson; charset=utf-8');
    expect(response.headers.get('content-disposition')).toMatch(
      /^attachment; filename="audit-acme-\d{4}-\d\d-\d\d\.jsonl"$/,
    );
    const entries = text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    const updates = entries.filter(({ action }) => action === 'deviceUpdate');
    expect(updates.map(({ requestId }) => requestId)).toEqual(
      Array.from({ length: ROWS }, (_, index) => `r-${index + 1}`),
    );
    expect(updates[0]).toEqual({
      at: '2026-01-02T00:00:00.000Z',
      action: 'deviceUpdate',
      actor: { kind: 'USER', id: 'user:a', name: 'Ada' },
      target: { type: 'Device', id: '1', label: 'pump-1' },
      before: null,
      after: { note: 'x'.repeat(200) },
      ip: '192.0.2.1',
      requestId: 'r-1',
    });
    expect(entries.find(({ action }) => action === 'apiKeyCreate').before).toEqual({ secret: '[redacted]' });
    expect(text).not.toContain('theirs');
    expect(text).not.toContain('hunter2');
  });

  it('is filtered as the list is, and opens in a spreadsheet without running anything', async () => {
    const where = { actions: ['apiKeyCreate'], from: '2026-01-15T00:00:00Z', to: '2026-03-01T00:00:00Z' };
    const { response, text } = await download(await linkOf({ format: 'CSV', where }));
    expect(response.headers.get('content-type')).toBe('text/csv; charset=utf-8');
    expect(text.split('\r\n')).toEqual([
      'at,actor_kind,actor_id,actor_name,action,target_type,target_id,target_label,before,after,ip,request_id',
      `2026-02-01T00:00:00.000Z,API_KEY,key:1,"'=HYPERLINK(""http://evil"")",apiKeyCreate,ApiKey,1,"a ""b"", c","{""secret"":""[redacted]""}","{""n"":[1,2]}",,r`,
      '',
    ]);
  });

  it('is read as it is downloaded: who does not read on holds next to nothing', async () => {
    const link = await linkOf({ format: 'JSONL' });
    const statements = await api.statementsOf(async () => {
      const response = await fetch(link);
      const reader = response.body?.getReader();
      await reader?.read();
      await new Promise((resolve) => setTimeout(resolve, 300));
      await reader?.cancel();
    });
    const pages = statements.filter((text) => text.includes('from audit_entries'));
    // The sockets hold some; the whole would be a hundred pages.
    expect(pages.length).toBeGreaterThan(0);
    expect(pages.length).toBeLessThan(80);
    await until('the last page to be let go', async () => {
      const { rows } = await api.database.admin.query(
        `select from pg_stat_activity where datname = current_database() and state like 'idle in transaction%'`,
      );
      return rows.length === 0;
    });
  });

  it('is for those who may read the log, and says in it who took it', async () => {
    for (const role of ['VIEWER', 'OPERATOR', 'ENGINEER'] as const) {
      expect(await make({ format: 'CSV' }, await api.apiKey(acme, role))).toMatchObject({
        __typename: 'ForbiddenError',
      });
    }
    const where = { target: 'pump-1' };
    await make({ format: 'CSV', where, clientMutationId: 'once' });
    await make({ format: 'CSV', where, clientMutationId: 'once' });
    const { data } = await api.ask(
      admin,
      '{ auditEntries(where: { actions: ["auditExportCreate"] }) { nodes { after target { label } } } }',
    );
    expect(
      data.auditEntries.nodes.filter((entry: { after: unknown }) =>
        JSON.stringify(entry.after).includes('pump-1'),
      ),
    ).toEqual([{ after: { format: 'CSV', where }, target: { label: 'acme' } }]);
  });

  it('is given to nobody with a link that was altered, has expired or is none, nor of a tenant shut out', async () => {
    const link = await linkOf({ format: 'CSV' });
    const expired = createSecretBox(TEST_SECRET).seal(
      'audit-export',
      Buffer.from(
        JSON.stringify({
          ...{ tenantId: acme.id, tenantSlug: 'acme', format: 'CSV', where: {} },
          ...{ before: new Date(), expiresAt: new Date(Date.now() - 1) },
        }),
      ),
    );
    const bent = `${link.slice(0, -2)}${link.endsWith('AA') ? 'BB' : 'AA'}`;
    for (const bad of [
      bent,
      `${api.url}/audit/export`,
      `${api.url}/audit/export?ticket=`,
      `${api.url}/audit/export?ticket=${'x'.repeat(7_000)}`,
      `${api.url}/audit/export?ticket=${expired.toString('base64url')}`,
      `${api.url}/audit/export?ticket=${deriveKey(TEST_SECRET, 'cursor').toString('base64url')}`,
    ]) {
      const { response } = await download(bad);
      expect(response.status, bad).toBe(403);
    }
    expect((await fetch(link, { method: 'POST' })).status).toBe(405);
    const { rowCount } = await api.database.admin.query(
      "update tenants set status = 'SUSPENDED' where slug = 'acme'",
    );
    expect(rowCount).toBe(1);
    expect((await download(link)).response.status).toBe(403);
    await api.database.admin.query("update tenants set status = 'ACTIVE' where slug = 'acme'");
    expect((await download(link)).response.status).toBe(200);
  });

  it('is refused for a filter that fits no link, or none at all', async () => {
    const actions = Array.from({ length: 100 }, (_, index) => `${index}`.padEnd(190, 'x'));
    expect(await make({ format: 'CSV', where: { actions } })).toMatchObject({
      __typename: 'ValidationError',
      path: ['input', 'where'],
    });
    const { errors } = await make({ format: 'CSV', where: { actor: 'x'.repeat(201) } });
    expect(errors[0]?.extensions?.['code']).toBe('BAD_USER_INPUT');
  });
});
