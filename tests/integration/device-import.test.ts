import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { openTestApi, type TestApi } from '../kit/api.ts';
import { seedTenant, type TenantSeed } from '../kit/seed.ts';

const importedSchema = z.looseObject({
  created: z.number(),
  skipped: z.number(),
  failed: z.number(),
  credentials: z.string().nullable(),
  errors: z.array(z.unknown()),
});

/** The lines of the file of credentials, without the empty one behind the last. */
const linesOf = ({ credentials }: z.output<typeof importedSchema>) =>
  (credentials ?? '').split('\r\n').slice(0, -1);

describe('a file of devices', () => {
  let api: TestApi;
  let acme: TenantSeed;
  let engineer: string;

  beforeAll(async () => {
    // Ten thousand rows take long on a machine that does much else.
    api = await openTestApi({ env: { REQUEST_TIMEOUT_MS: '120000' } });
    acme = await seedTenant(api.database.admin, 'acme');
    await acme.site('hall');
    engineer = await api.apiKey(acme, 'ENGINEER');
  });
  afterAll(() => api[Symbol.asyncDispose]());

  const upload = async (
    file: string | readonly string[],
    query = '',
    { credential = engineer, type = 'text/csv' } = {},
  ) => {
    const response = await fetch(`${api.url}/import/v1/devices${query}`, {
      method: 'POST',
      headers: { 'content-type': type, authorization: `Bearer ${credential}` },
      body: typeof file === 'string' ? file : file.join('\n'),
    });
    const body: unknown = await response.json();
    return { status: response.status, headers: response.headers, body };
  };
  /** Uploads what the door takes, and reads its answer. */
  const importFile = async (file: readonly string[], query = '') => {
    const { status, body } = await upload(file, query);
    expect(status).toBe(200);
    return importedSchema.parse(body);
  };
  const count = async (text: string, ...values: unknown[]): Promise<number> => {
    const { rows } = await api.database.admin.query<{ n: number }>(text, values);
    return rows[0]?.n ?? 0;
  };
  const devices = () => count('select count(*)::int as n from devices where tenant_id = $1', acme.id);

  it('makes every good row, names what is wrong with the others, and leaves nothing half done', async () => {
    const file = [
      'key,name,site,tags,serial_number,latitude,longitude,attributes',
      'imported-1,Pump one,hall,a;b,S-1,52.5,13.4,"{""floor"":3,""wifi_password"":""hunter2""}"',
      'imported 2,,,,,,,',
      'imported-3,,nowhere,,,,,',
      'imported-4,,,,,,,',
    ];
    const before = await devices();
    const dry = await upload(file, '?dry_run=true&tokens=created');
    expect(dry).toMatchObject({
      status: 200,
      body: { dry_run: true, rows: 4, created: 2, updated: 0, skipped: 0, failed: 2, credentials: null },
    });
    expect(await devices()).toBe(before);
    const { status, headers, body } = await upload(file);
    expect(status).toBe(200);
    expect(headers.get('cache-control')).toBe('no-store');
    expect(body).toEqual({
      ...{ dry_run: false, rows: 4, created: 2, updated: 0, skipped: 0, failed: 2, credentials: null },
      errors: [
        {
          row: 3,
          key: 'imported 2',
          column: 'key',
          code: 'BAD_VALUE',
          message: expect.stringContaining('1 to 128'),
        },
        { row: 4, key: 'imported-3', column: 'site', code: 'UNKNOWN_SITE', message: expect.any(String) },
      ],
      errors_left_out: 0,
    });
    expect(importedSchema.parse(dry.body).errors).toEqual(importedSchema.parse(body).errors);
    const { data } = await api.ask(
      engineer,
      '{ device(by: { key: "imported-1" }) { name site { key } tags serialNumber location { latitude } attributes credentials { id } } }',
    );
    expect(data.device).toEqual({
      ...{ name: 'Pump one', site: { key: 'hall' }, tags: ['a', 'b'], serialNumber: 'S-1' },
      ...{
        location: { latitude: 52.5 },
        attributes: { floor: 3, wifi_password: 'hunter2' },
        credentials: [],
      },
    });
  });

  it('is harmless a second time, may be refused for what exists, or changes what its cells say', async () => {
    const file = ['key,name,tags', 'again-1,One,x', 'again-2,Two,'];
    expect((await upload(file)).body).toMatchObject({ created: 2 });
    expect((await upload(file)).body).toMatchObject({ created: 0, skipped: 2, failed: 0 });
    expect((await upload(file, '?existing=fail')).body).toMatchObject({
      failed: 2,
      errors: [{ code: 'EXISTS' }, { code: 'EXISTS' }],
    });
    const changed = ['key,name,tags', 'again-1,Uno,', 'again-2,Two,', 'again-3,,'];
    expect((await upload(changed, '?existing=update')).body).toMatchObject({
      created: 1,
      updated: 1,
      skipped: 1,
    });
    const { data } = await api.ask(engineer, '{ device(by: { key: "again-1" }) { name tags version } }');
    expect(data.device).toEqual({ name: 'Uno', tags: ['x'], version: 2 });
    expect((await upload(changed, '?existing=update')).body).toMatchObject({ updated: 0, skipped: 3 });
    await api.database.admin.query(`update devices set status = 'DECOMMISSIONED' where key = 'again-2'`);
    expect((await upload(changed)).body).toMatchObject({
      skipped: 2,
      errors: [{ row: 3, code: 'DECOMMISSIONED' }],
    });
  });

  it('comes back with a token for each new device, or for every one, in a file that is shown once', async () => {
    const file = ['key', 'armed-1', 'armed-2'];
    const [header, line] = linesOf(await importFile(file, '?tokens=created'));
    expect(header).toBe('key,username,token');
    const [key, username, token] = line?.split(',') ?? [];
    expect([key, username]).toEqual(['armed-1', 'acme/armed-1']);
    const sent = await fetch(`${api.url}/ingest/v1/tenant/acme/device/armed-1/heartbeat`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}` },
    });
    expect(sent.status).toBe(202);
    expect(linesOf(await importFile(file, '?tokens=created'))).toEqual(['key,username,token']);
    for (let round = 0; round < 9; round += 1)
      expect(linesOf(await importFile(file, '?tokens=all'))).toHaveLength(3);
    expect((await upload(file, '?tokens=all')).body).toMatchObject({
      skipped: 2,
      credentials: 'key,username,token\r\n',
      errors: [{ code: 'TOO_MANY_TOKENS' }, { code: 'TOO_MANY_TOKENS' }],
    });
    const stored = await count(
      `select count(*)::int as n from device_credentials c join devices d on d.id = c.device_id where d.key like 'armed-%'`,
    );
    expect(stored).toBe(20);
  });

  it('is in the audit log device by device, secrets redacted, and told to followers and caches', async () => {
    const { data } = await api.ask(
      await api.apiKey(acme),
      `{ auditEntries(where: { actions: ["deviceImport"] }, first: 100) { nodes { actor { name } target { label } before after ip } } }`,
    );
    const of = (label: string) =>
      data.auditEntries.nodes.filter((node: { target: { label: string } }) => node.target.label === label);
    expect(of('imported-1')).toEqual([
      expect.objectContaining({
        ip: '127.0.0.1',
        before: null,
        after: expect.objectContaining({ attributes: { floor: 3, wifi_password: '[redacted]' } }),
      }),
    ]);
    expect(
      of('again-1').map((node: { before: unknown; after: unknown }) => [node.before, node.after]),
    ).toEqual([
      [{ name: 'One' }, { name: 'Uno' }],
      [null, expect.objectContaining({ name: 'One' })],
    ]);
    const { rows } = await api.database.admin.query<{ subject: string; payload: Buffer }>(
      'select subject, payload from outbox order by id',
    );
    const told = rows.map(({ subject, payload }) => `${subject} ${payload.toString()}`);
    expect(told.some((line) => line.startsWith('events.') && line.includes('"armed-2"'))).toBe(true);
    expect(told.some((line) => line.startsWith('control.device') && line.includes('"armed-2"'))).toBe(true);
    expect(told.some((line) => line.startsWith('control.credential') && line.includes('"armed-2"'))).toBe(
      true,
    );
  });

  it('is imported by engineers, into their own tenant', async () => {
    expect(await upload('key\nx', '', { credential: await api.apiKey(acme, 'OPERATOR') })).toMatchObject({
      status: 403,
      body: { code: 'FORBIDDEN' },
    });
    expect(await upload('key\nx', '', { credential: 'fgk_nobody' })).toMatchObject({ status: 401 });
    const rival = await seedTenant(api.database.admin, 'rival');
    const credential = await api.apiKey(rival);
    const { body } = await upload(
      ['key,site,name', 'imported-1,hall,', 'again-1,,Mine'],
      '?existing=update',
      {
        credential,
      },
    );
    expect(body).toMatchObject({ created: 1, errors: [{ row: 2, code: 'UNKNOWN_SITE' }] });
    const { data } = await api.ask(engineer, '{ device(by: { key: "again-1" }) { name } }');
    expect(data.device.name).toBe('Uno');
  });

  it('is refused as a whole in words when it is none', async () => {
    expect(await upload('key\na', '', { type: 'application/json' })).toMatchObject({ status: 415 });
    expect(await upload('key\na', '?existing=maybe')).toMatchObject({
      status: 400,
      body: { code: 'BAD_PARAMETER', field: 'existing' },
    });
    expect(await upload('key\na', '?dryrun=true')).toMatchObject({ status: 400, body: { field: 'dryrun' } });
    expect(await upload('key,wheels\na,4')).toMatchObject({
      status: 400,
      body: { code: 'BAD_HEADER', field: '$[1]' },
    });
    expect(await upload('key\n"a')).toMatchObject({ status: 400, body: { code: 'BAD_CSV' } });
    expect(await upload(`key\n${'a\n'.repeat(10_001)}`)).toMatchObject({
      status: 413,
      body: { code: 'TOO_MANY_ROWS' },
    });
    expect(await upload(`key\n${'a'.repeat(60_000)}\n`.repeat(100))).toMatchObject({ status: 413 });
    expect(await upload('')).toMatchObject({ status: 400, body: { code: 'BAD_HEADER' } });
    const response = await fetch(`${api.url}/import/v1/devices`);
    expect([response.status, response.headers.get('allow')]).toEqual([405, 'POST']);
  });

  it('may have ten thousand rows, twice at the same moment', async () => {
    const file = ['key,name,tags', ...Array.from({ length: 10_000 }, (_, n) => `bulk-${n},Bulk ${n},bulk`)];
    const answers = await Promise.all([1, 2].map(() => importFile(file, '?tokens=created')));
    expect(answers.reduce((sum, { created }) => sum + created, 0)).toBe(10_000);
    expect(await count(`select count(*)::int as n from devices where key like 'bulk-%'`)).toBe(10_000);
    const given = answers.flatMap((answer) => linesOf(answer).slice(1));
    expect(given).toHaveLength(10_000);
    for (const { created, skipped, failed } of answers) expect(created + skipped + failed).toBe(10_000);
  });
});
