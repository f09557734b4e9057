import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readAddressed } from '#core/bus/downlink.ts';
import { decodeEvents } from '#core/bus/events.ts';
import { deleteExpiredShadowHistory } from '#core/db/shadows.ts';
import { collect, openTestApi, type TestApi } from '#tests/kit/api.ts';
import { openTestFrames, type TestFrames } from '#tests/kit/frames.ts';
import { startProcesses, type TestProcesses } from '#tests/kit/processes.ts';
import { seedTenant, type TenantSeed } from '#tests/kit/seed.ts';
import { until } from '#tests/kit/wait.ts';

const SHADOW =
  'desired desiredVersion desiredAt reported reportedVersion reportedAt answeredVersion delta status';
const UPDATE = `mutation ($input: ShadowUpdateInput!) { shadowUpdate(input: $input) { __typename
  ... on ShadowUpdateSuccess { device { key } shadow { ${SHADOW} } }
  ... on ConflictError { message currentVersion path } ... on ValidationError { issues { path message } }
  ... on ForbiddenError { permission } ... on NotFoundError { path } } }`;
const FOLLOW = `subscription ($where: ShadowFilter, $after: Cursor) { shadows(where: $where, after: $after) { __typename
  ... on ShadowSnapshot { cursor devices { key shadow { desiredVersion } } }
  ... on ShadowChange { cursor device { key } side version document answers actor at shadow { status } } } }`;

describe('shadow', () => {
  const opened = new AsyncDisposableStack();
  let api: TestApi;
  let acme: TenantSeed;
  let frames: TestFrames;
  let processes: TestProcesses;
  let key: string;

  beforeAll(async () => {
    api = opened.use(await openTestApi());
    acme = await seedTenant(api.database.admin, 'acme', 30);
    key = await acme.apiKey('OPERATOR');
    processes = opened.use(
      await startProcesses({
        database: api.database,
        natsUrl: api.nats.url,
        start: ['ingest', 'relay', 'evaluator'],
      }),
    );
    frames = opened.use(openTestFrames(api.bus));
  });
  afterAll(() => opened.disposeAsync());

  const ask = async (document: string, variables: Record<string, unknown> = {}, credential = key) => {
    const { data, errors } = await api.ask(credential, document, variables);
    expect(errors).toEqual([]);
    return data;
  };
  const idOf = async (device: string): Promise<string> =>
    (await ask('query ($key: String!) { device(by: { key: $key }) { id } }', { key: device })).device.id;
  const update = async (device: string, input: Record<string, unknown>, credential = key) =>
    (await ask(UPDATE, { input: { deviceId: await idOf(device), ...input } }, credential)).shadowUpdate;
  const shadowOf = async (device: string) =>
    (
      await ask(`query ($key: String!) { device(by: { key: $key }) { shadow { ${SHADOW} } } }`, {
        key: device,
      })
    ).device.shadow;
  const report = (device: string, payload: unknown) =>
    frames.send('acme', device, payload, { kind: 'shadow_reported' });
  const reported = (device: string, version: number) =>
    until('the report', async () => {
      const shadow = await shadowOf(device);
      return shadow.reportedVersion === version && shadow;
    });

  it('is empty at first, and follows both sides', async () => {
    await acme.device('one');
    expect(await shadowOf('one')).toEqual({
      ...{
        desired: {},
        desiredVersion: 0,
        desiredAt: null,
        reported: {},
        reportedVersion: 0,
        reportedAt: null,
      },
      ...{ answeredVersion: 0, delta: {}, status: 'NEVER_REPORTED' },
    });
    const first = await update('one', {
      desired: { mode: 'eco', net: { dns: ['a', 'b'] } },
      expectedVersion: 0,
    });
    expect(first).toMatchObject({
      device: { key: 'one' },
      shadow: {
        desiredVersion: 1,
        delta: { mode: 'eco', net: { dns: ['a', 'b'] } },
        status: 'NEVER_REPORTED',
      },
    });
    await report('one', { reported: { mode: 'max', net: { dns: ['a', 'b'] }, uptime: 7 } });
    expect(await reported('one', 1)).toMatchObject({
      delta: { mode: 'eco' },
      status: 'PENDING',
      answeredVersion: 0,
    });
    await report('one', { reported: { mode: 'max' }, version: 1 });
    expect(await reported('one', 2)).toMatchObject({
      ...{ reported: { mode: 'max' }, answeredVersion: 1, status: 'DIVERGED' },
      delta: { mode: 'eco', net: { dns: ['a', 'b'] } },
    });
    const patched = await update('one', { patch: { net: null, mode: 'max' }, expectedVersion: 1 });
    expect(patched.shadow).toMatchObject({
      desired: { mode: 'max' },
      desiredVersion: 2,
      delta: {},
      status: 'IN_SYNC',
    });
  });

  it('refuses what is not as expected, says which version there is, and changes nothing', async () => {
    await acme.device('two');
    await update('two', { desired: { a: 1 }, expectedVersion: 0 });
    expect(await update('two', { desired: { a: 2 }, expectedVersion: 0 })).toMatchObject({
      ...{ __typename: 'ConflictError', currentVersion: 1, path: ['input', 'expectedVersion'] },
    });
    const path = (field: string) => ({ __typename: 'ValidationError', issues: [{ path: ['input', field] }] });
    expect(await update('two', { expectedVersion: 1 })).toMatchObject(path('patch'));
    expect(await update('two', { desired: {}, patch: {}, expectedVersion: 1 })).toMatchObject(
      path('desired'),
    );
    expect(await update('two', { desired: [1], expectedVersion: 1 })).toMatchObject(path('desired'));
    expect(await update('two', { desired: { a: '\u0000' }, expectedVersion: 1 })).toMatchObject(
      path('desired'),
    );
    expect(await update('two', { desired: { a: 'x'.repeat(33_000) }, expectedVersion: 1 })).toMatchObject(
      path('desired'),
    );
    const half = 'x'.repeat(17_000);
    await update('two', { desired: { a: half }, expectedVersion: 1 });
    expect(await update('two', { patch: { b: half }, expectedVersion: 2 })).toMatchObject(path('patch'));
    const viewer = await acme.apiKey('VIEWER');
    expect(await update('two', { desired: {}, expectedVersion: 2 }, viewer)).toMatchObject({
      permission: 'shadow.write',
    });
    expect(await shadowOf('two')).toMatchObject({ desiredVersion: 2, desired: { a: half } });
  });

  it('lets one of many who change it at once succeed, while its device reports', async () => {
    await acme.device('busy');
    await update('busy', { desired: { n: 0 }, expectedVersion: 0 });
    const outcomes = await Promise.all(
      Array.from({ length: 8 }, async (_, n) => {
        await report('busy', { reported: { n } });
        return update('busy', { desired: { n }, expectedVersion: 1 });
      }),
    );
    expect(outcomes.filter(({ shadow }) => shadow)).toHaveLength(1);
    expect(outcomes.filter(({ currentVersion }) => currentVersion === 2)).toHaveLength(7);
  });

  it('keeps who wanted what and when, and can be seen as it was', async () => {
    const device = await acme.device('past');
    const times: Date[] = [];
    for (const [version, n] of [10, 20, 30].entries()) {
      await update('past', { desired: { n }, expectedVersion: version });
      await report('past', { reported: { n }, version: version + 1 });
      await reported('past', version + 1);
      times.push(new Date());
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    const query = `query ($after: String, $side: ShadowSide, $one: DateTime!, $none: DateTime!) { device(by: { key: "past" }) {
      shadowHistory(first: 2, after: $after, side: $side) { nodes { side version document answers actor actorName at } pageInfo { endCursor hasNextPage } }
      shadowAt(at: $one) { ${SHADOW} } before: shadowAt(at: $none) { ${SHADOW} } } }`;
    const at = { one: times[1]?.toISOString(), none: '2020-01-01T00:00:00Z' };
    const { device: seen } = await ask(query, { ...at, side: 'DESIRED' });
    expect(seen.shadowHistory.nodes).toMatchObject([
      {
        side: 'DESIRED',
        version: 3,
        document: { n: 30 },
        answers: null,
        actor: expect.stringMatching(/^key:\d+$/),
        actorName: 'test OPERATOR',
      },
      { side: 'DESIRED', version: 2, document: { n: 20 } },
    ]);
    const next = await ask(query, { ...at, side: 'DESIRED', after: seen.shadowHistory.pageInfo.endCursor });
    expect(next.device.shadowHistory).toMatchObject({
      nodes: [{ version: 1 }],
      pageInfo: { hasNextPage: false },
    });
    const both = await ask(query, at);
    expect(both.device.shadowHistory.nodes[0]).toMatchObject({
      side: 'REPORTED',
      version: 3,
      answers: 3,
      actor: null,
      actorName: null,
    });
    expect(seen.shadowAt).toMatchObject({
      ...{
        desired: { n: 20 },
        desiredVersion: 2,
        reported: { n: 20 },
        reportedVersion: 2,
        answeredVersion: 2,
      },
      status: 'IN_SYNC',
    });
    expect(seen.before).toMatchObject({ desiredVersion: 0, reportedVersion: 0, status: 'NEVER_REPORTED' });

    const { admin, worker } = api.database;
    await admin.query("update shadow_history set at = now() - interval '40 days' where device_id = $1", [
      device.id,
    ]);
    expect(await deleteExpiredShadowHistory(worker, 100)).toBe(4);
    const left = await admin.query(
      'select side, version from shadow_history where device_id = $1 order by side',
      [device.id],
    );
    expect(left.rows).toEqual([
      { side: 'DESIRED', version: 3 },
      { side: 'REPORTED', version: 3 },
    ]);
    await admin.query('update device_shadows set desired_version = 1500 where device_id = $1', [device.id]);
    await admin.query(
      `insert into shadow_history (tenant_id, device_id, side, version, document, at)
       select $1, $2, 'DESIRED', n, '{}', now() from generate_series(4, 1500) n`,
      [acme.id, device.id],
    );
    expect(await deleteExpiredShadowHistory(worker, 10_000)).toBe(498);
  });

  it('tells the device, retained, and followers, who resume where they were', async () => {
    const device = await acme.device('told');
    const client = api.socket(key);
    const live = collect(client, FOLLOW, { where: { deviceKeys: ['told'] } });
    await until('the snapshot', () => live.items.length === 1);
    expect(live.items[0]).toMatchObject({ __typename: 'ShadowSnapshot', devices: [] });
    const updated = await update('told', { desired: { led: true }, expectedVersion: 0 });
    await until('the change', () => live.items.length === 2);
    expect(live.items[1]).toMatchObject({
      ...{
        __typename: 'ShadowChange',
        device: { key: 'told' },
        side: 'DESIRED',
        version: 1,
        document: { led: true },
      },
      ...{ answers: null, actor: expect.stringMatching(/^key:/), shadow: { status: 'NEVER_REPORTED' } },
    });
    live.stop();
    await report('told', { reported: { led: false } });
    await report('told', { reported: { led: true }, version: 1 });
    await report('told', { reported: { led: true }, version: 1 });
    await reported('told', 2);
    const again = collect(client, FOLLOW, { where: { deviceKeys: ['told'] }, after: live.items[1].cursor });
    await until('what was missed', () => again.items.length === 2);
    expect(again.items).toMatchObject([
      { side: 'REPORTED', version: 1, document: { led: false }, answers: null, actor: null },
      { side: 'REPORTED', version: 2, document: { led: true }, answers: 1, shadow: { status: 'IN_SYNC' } },
    ]);
    again.stop();
    void client.dispose();

    const { state } = await api.bus.jsm.streams.info('DOWNLINK');
    const message = await api.bus.jsm.streams.getMessage('DOWNLINK', { seq: state.last_seq });
    const envelope = message && readAddressed(message.data);
    expect(envelope).toMatchObject({
      ...{ tenant: 'acme', device: 'told', leaf: 'shadow/desired', qos: 1, retain: true, version: 1 },
    });
    expect(JSON.parse(String(envelope?.payload))).toEqual({
      ...{ desired: { led: true }, version: 1, timestamp: updated.shadow.desiredAt },
    });
    const { device: presence } = await ask('{ device(by: { key: "told" }) { presence { freshness } } }');
    expect(device.key).toBe('told');
    await until('the sign of life', async () => {
      const asked = await ask('{ device(by: { key: "told" }) { presence { freshness } } }');
      return asked.device.presence.freshness === 'FRESH' || presence.freshness === 'FRESH';
    });
  });

  it('takes reports of one batch in their order, each once, and turns away what is none', async () => {
    const device = await acme.device('chatty');
    const sent = Array.from({ length: 30 }, (_, n) => report('chatty', { reported: { n } }));
    sent.push(report('chatty', '{"reported":7}'), report('chatty', 'nonsense'));
    await Promise.all(sent);
    expect(await reported('chatty', 30)).toMatchObject({ reported: { n: 29 } });
    const history = await api.database.admin.query(
      'select version, (document->>$2)::int as n from shadow_history where device_id = $1 order by version',
      [device.id, 'n'],
    );
    expect(history.rows).toEqual(Array.from({ length: 30 }, (_, n) => ({ version: n + 1, n })));
    const quarantined = await until('the quarantine', async () => {
      const { rows } = await api.database.admin.query(
        'select reason from quarantine where device_id = $1 order by reason',
        [device.id],
      );
      return rows.length === 2 && rows;
    });
    expect(quarantined.map((row) => row.reason)).toEqual(['BAD_JSON', 'BAD_SHAPE']);
  });

  it('doubles nothing when ingest is killed again and again', async () => {
    const devices = await acme.devices(20, 'killed');
    const { restarts } = processes.get('ingest');
    const sending: Promise<unknown>[] = [];
    for (let n = 1; n <= 40; n++) {
      for (const device of devices) sending.push(report(device.key, { reported: { n } }));
      if (n === 12 || n === 28) processes.get('ingest').kill('SIGKILL');
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    await Promise.all(sending);
    await until('the restart', () => processes.get('ingest').restarts > restarts);
    await until(
      'the newest of every device',
      async () => {
        const found = await api.database.admin.query(
          "select reported->>'n' as n from device_shadows where device_id = any($1)",
          [devices.map(({ id }) => id)],
        );
        return found.rows.length === 20 && found.rows.every(({ n }) => n === '40');
      },
      120_000,
    );
    await until('the end of the stream', async () => {
      const { state } = await api.bus.jsm.streams.info('SHADOW');
      return state.messages === 0;
    });
    // What comes again behind something newer leaves no version; whatever else was sent has exactly one, in order.
    const { rows } = await api.database.admin.query<{ key: string; versions: number[]; said: number[] }>(
      `select d.key, array_agg(h.version order by h.version) as versions, array_agg((h.document->>'n')::int order by h.version) as said
       from shadow_history h join devices d on d.id = h.device_id where h.device_id = any($1) group by 1`,
      [devices.map(({ id }) => id)],
    );
    for (const { versions, said } of rows) {
      expect(versions).toEqual(versions.map((_, index) => index + 1));
      expect(said).toEqual([...new Set(said)].sort((x, y) => x - y));
      expect(said.length).toBeGreaterThan(30);
    }
    const events = new Map<string, number>();
    const { state } = await api.bus.jsm.streams.info('EVENTS');
    for (let seq = state.first_seq; seq <= state.last_seq; seq++) {
      const message = await api.bus.jsm.streams.getMessage('EVENTS', { seq });
      if (!message?.subject.endsWith('.shadow')) continue;
      const batch = decodeEvents(message.data);
      for (const { device, version } of batch.kind === 'shadow'
        ? batch.parts.flatMap((part) => part.events)
        : []) {
        const name = `${device}/${version}`;
        if (device.startsWith('killed')) events.set(name, (events.get(name) ?? 0) + 1);
      }
    }
    expect(events.size).toBe(rows.reduce((sum, { versions }) => sum + versions.length, 0));
    expect([...events.values()].every((times) => times === 1)).toBe(true);
  });

  it('is cleared when its device leaves service, and does not change afterwards', async () => {
    await acme.device('gone');
    await update('gone', { desired: { a: 1 }, expectedVersion: 0 });
    const engineer = await acme.apiKey('ENGINEER');
    await ask(
      'mutation ($id: ID!) { deviceDecommission(input: { id: $id }) { __typename } }',
      { id: await idOf('gone') },
      engineer,
    );
    const cleared = await until('the empty message', async () => {
      const { state } = await api.bus.jsm.streams.info('DOWNLINK');
      const message = await api.bus.jsm.streams.getMessage('DOWNLINK', { seq: state.last_seq });
      const envelope = message && readAddressed(message.data);
      return envelope?.device === 'gone' && envelope.payload.length === 0 && envelope;
    });
    expect(cleared).toMatchObject({ leaf: 'shadow/desired', retain: true, version: 2 });
    expect(await update('gone', { desired: { a: 2 }, expectedVersion: 1 })).toMatchObject({
      ...{ __typename: 'ConflictError', currentVersion: 1, path: ['input', 'deviceId'] },
    });
  });

  it('is read for a page of devices with one query', async () => {
    const statements = await api.statementsOf(async () => {
      await ask(`{ devices(first: 50) { nodes { key shadow { ${SHADOW} } } } }`);
    });
    expect(statements.filter((text) => text.includes('device_shadows'))).toHaveLength(1);
  });
});
