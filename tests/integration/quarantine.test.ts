import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { packUserProperties } from '#core/bus/user-properties.ts';
import { openTestApi, type TestApi } from '#tests/kit/api.ts';
import { openTestFrames, type TestFrames } from '#tests/kit/frames.ts';
import { startProcesses } from '#tests/kit/processes.ts';
import { seedTenant, type TenantSeed } from '#tests/kit/seed.ts';
import { until } from '#tests/kit/wait.ts';

const MESSAGE = `id status reason detail field deviceKey device { key } kind source dialect receivedAt receipt part
  payload { text base64 bytes } userProperties { name value } replay { at outcome reason readingId message { id reason } } replayOf { id }`;
const LIST = `query ($where: QuarantineFilter, $first: Int, $after: String) { quarantine(where: $where, first: $first, after: $after) {
  totalCount nodes { ${MESSAGE} } pageInfo { hasNextPage endCursor } } }`;
const JOB = `job { id action total handled skipped finishedAt outcomes { stored duplicate quarantined accepted waiting } }`;
const REPLAY = `mutation ($input: QuarantineReplayInput!) { quarantineReplay(input: $input) { __typename
  ... on QuarantineReplaySuccess { matched ${JOB} forecasts { outcome reason detail field payload { text } message { id } } }
  ... on UserError { code message path } } }`;
const DISCARD = `mutation ($input: QuarantineDiscardInput!) { quarantineDiscard(input: $input) { __typename
  ... on QuarantineDiscardSuccess { matched ${JOB} } ... on UserError { code message path } } }`;

describe('quarantine', () => {
  const opened = new AsyncDisposableStack();
  let api: TestApi;
  let acme: TenantSeed;
  let frames: TestFrames;
  let key: string;

  beforeAll(async () => {
    api = opened.use(await openTestApi());
    acme = await seedTenant(api.database.admin, 'acme', 30);
    key = await api.apiKey(acme, 'OPERATOR');
    opened.use(
      await startProcesses({
        database: api.database,
        natsUrl: api.nats.url,
        start: ['ingest', 'relay', 'janitor'],
        env: { JANITOR_JOBS_POLL_MS: '100' },
      }),
    );
    frames = opened.use(openTestFrames(api.bus));
  });
  afterAll(() => opened.disposeAsync());

  const list = async (where: Record<string, unknown>, credential = key) => {
    const { data, errors } = await api.ask(credential, LIST, { where });
    expect(errors).toEqual([]);
    return data.quarantine.nodes;
  };
  const quarantined = (deviceKey: string, count = 1) =>
    until('the quarantine rows', async () => {
      const nodes = await list({ deviceKey });
      return nodes.length >= count && nodes;
    });
  const mutate = async (document: string, input: Record<string, unknown>, credential = key) => {
    const { data, errors } = await api.ask(credential, document, { input });
    expect(errors).toEqual([]);
    return data[Object.keys(data)[0] ?? ''];
  };
  const settled = async (result: { job: { id: string } }) =>
    until('the job', async () => {
      const { data } = await api.ask(
        key,
        `query ($id: ID!) { node(id: $id) { ... on QuarantineJob { ${JOB.slice(5, -1)} } } }`,
        {
          id: result.job.id,
        },
      );
      return data.node.finishedAt && data.node.outcomes.waiting === 0 && data.node;
    });
  const readings = async (deviceId: number) =>
    (
      await api.database.admin.query(
        'select ts, received_at, metrics from readings where device_id = $1 order by ts, msg_id',
        [deviceId],
      )
    ).rows;

  it('shows what was turned away with its bytes, its fault and where that is', async () => {
    await acme.device('shown');
    const payload = '{"metrics":{"temperature":null,"ok":1}}';
    const receipt = await frames.send('acme', 'shown', payload, { source: 'http' });
    const [message] = await quarantined('shown');
    expect(message).toMatchObject({
      ...{ status: 'OPEN', reason: 'BAD_VALUE', field: 'metrics.temperature', device: { key: 'shown' } },
      ...{
        kind: 'telemetry',
        source: 'http',
        dialect: 'canonical',
        part: null,
        replay: null,
        replayOf: null,
      },
      receipt: `${receipt.batchId}.${receipt.index}`,
      payload: { text: payload, base64: Buffer.from(payload).toString('base64'), bytes: payload.length },
    });
    expect(message.userProperties).toEqual([]);
    const bytes = Buffer.from([0x7b, 0xff, 0x00]);
    const said = [
      ['trace', '1'],
      ['trace', 'é'],
    ] as const;
    await frames.send('acme', 'shown', '', { payload: bytes, userProperties: packUserProperties(said) });
    const [binary] = await quarantined('shown', 2);
    expect(binary.userProperties).toEqual(said.map(([name, value]) => ({ name, value })));
    expect(binary.payload).toEqual({ text: null, base64: bytes.toString('base64'), bytes: 3 });
  });

  it('sends an acknowledgement again on its own stream, once there is its command', async () => {
    const device = await acme.device('obedient');
    const commandId = '0b6e1f0a-0000-4000-8000-000000000001';
    await frames.send('acme', 'obedient', { command_id: commandId, status: 'ok' }, { kind: 'command_ack' });
    const [message] = await quarantined('obedient');
    expect(message).toMatchObject({ reason: 'UNKNOWN_COMMAND', field: 'command_id', kind: 'command_ack' });
    await api.database.admin.query(
      `insert into device_commands (tenant_id, device_id, command_id, type, params, actor, expires_at)
       values ($1, $2, $3, 'reboot', '{}', 'user:1', now() + interval '1 hour')`,
      [acme.id, device.id, commandId],
    );
    const target = { ids: [message.id] };
    const forecast = await mutate(REPLAY, { target, dryRun: true });
    expect(forecast).toMatchObject({ forecasts: [{ outcome: 'WOULD_BE_ACCEPTED' }] });
    const job = await settled(await mutate(REPLAY, { target }));
    expect(job).toMatchObject({ total: 1, handled: 1, outcomes: { waiting: 0 } });
    expect(await list({ deviceKey: 'obedient' })).toMatchObject([{ replay: { outcome: 'ACCEPTED' } }]);
    const frame = await api.database.admin.query(
      "select stream from ingest_frames where stream = 'COMMANDS'",
    );
    expect(frame.rowCount).toBe(2);
  });

  it('sends a message again once its device exists, once, at the time at which it first arrived', async () => {
    const receivedAt = Date.now() - 60_000;
    await frames.send('acme', 'late', { metrics: { a: 1 } }, { receivedAt });
    const [message] = await quarantined('late');
    expect(message).toMatchObject({ reason: 'UNKNOWN_DEVICE', device: null });
    const device = await acme.device('late');
    // Ingest may have remembered that there is no such device.
    await new Promise((resolve) => setTimeout(resolve, 2_100));
    const target = { ids: [message.id] };
    const forecast = await mutate(REPLAY, { target, dryRun: true });
    expect(forecast).toMatchObject({ matched: 1, job: null, forecasts: [{ outcome: 'WOULD_BE_ACCEPTED' }] });
    expect(await readings(device.id)).toEqual([]);

    const job = await settled(await mutate(REPLAY, { target }));
    expect(job).toMatchObject({ total: 1, handled: 1, skipped: 0, outcomes: { stored: 1, waiting: 0 } });
    expect(await readings(device.id)).toEqual([
      { ts: new Date(receivedAt), received_at: new Date(receivedAt), metrics: { a: 1 } },
    ]);
    const [replayed] = await list({ deviceKey: 'late' });
    expect(replayed).toMatchObject({
      status: 'REPLAYED',
      replay: { outcome: 'STORED', readingId: expect.any(String), message: null },
    });
    expect(await mutate(REPLAY, { target })).toMatchObject({ __typename: 'ConflictError' });
    // The device sends it again by itself: it is known.
    await frames.send('acme', 'late', { metrics: { a: 1 } }, { receivedAt });
    await frames.send('acme', 'late', { ts: receivedAt + 1, metrics: { a: 2 } });
    await until('the second', async () => (await readings(device.id)).length === 2);
  });

  it('makes one reading of an array right and leaves the others alone', async () => {
    const device = await acme.device('array');
    await frames.send('acme', 'array', [{ a: 1 }, { a: null, b: 2 }, { a: 3 }]);
    const [message] = await quarantined('array');
    expect(message).toMatchObject({ part: 1, field: '[1].a' });
    const fix = { patch: { removeField: true } };
    const forecast = await mutate(REPLAY, { target: { ids: [message.id] }, fix, dryRun: true });
    expect(forecast.forecasts).toMatchObject([
      { outcome: 'WOULD_BE_ACCEPTED', payload: { text: '[{"a":1},{"b":2},{"a":3}]' } },
    ]);
    const job = await settled(await mutate(REPLAY, { target: { ids: [message.id] }, fix }));
    expect(job.outcomes).toMatchObject({ stored: 1, duplicate: 0 });
    const stored = (await readings(device.id)).map((row) => row.metrics);
    expect(stored).toHaveLength(3);
    expect(stored).toEqual(expect.arrayContaining([{ a: 1 }, { b: 2 }, { a: 3 }]));
  });

  it('turns a message away again with its new reason, and stores it in the end', async () => {
    const device = await acme.device('twice');
    await frames.send('acme', 'twice', '{"a":1');
    const [message] = await quarantined('twice');
    await settled(await mutate(REPLAY, { target: { ids: [message.id] }, fix: { text: '{"a":[]}' } }));
    const [again, first] = await list({ deviceKey: 'twice' });
    expect(first).toMatchObject({
      status: 'REPLAYED',
      replay: { outcome: 'QUARANTINED', reason: 'BAD_VALUE', message: { id: again.id, reason: 'BAD_VALUE' } },
    });
    expect(again).toMatchObject({
      ...{ status: 'OPEN', reason: 'BAD_VALUE', payload: { text: '{"a":[]}' }, replayOf: { id: first.id } },
      receivedAt: first.receivedAt,
    });
    const steps = [{ op: 'replace', path: '/a', value: 7 }];
    await settled(await mutate(REPLAY, { target: { ids: [again.id] }, fix: { patch: { steps } } }));
    expect((await readings(device.id)).map((row) => row.metrics)).toEqual([{ a: 7 }]);
  });

  it('sends many again as a job, of a filter, with a rule, and skips what the rule does not fit', async () => {
    const device = await acme.device('many');
    const payloads = Array.from({ length: 250 }, (_, seq) => ({
      seq,
      metrics: { 'bad key': seq, good: seq },
    }));
    await frames.sendAll(
      'acme',
      payloads.map((payload) => ({ device: 'many', payload })),
    );
    await frames.send('acme', 'many', 'no json');
    await until('the rows', async () => {
      const { data } = await api.ask(key, LIST, { where: { deviceKey: 'many' } });
      return data.quarantine.totalCount === 251;
    });
    const steps = [{ op: 'move', from: '/metrics/bad key', path: '/metrics/good_key' }];
    const input = { target: { where: { deviceKey: 'many' } }, fix: { patch: { steps } } };
    const forecast = await mutate(REPLAY, { ...input, dryRun: true });
    expect(forecast.matched).toBe(251);
    expect(forecast.forecasts).toHaveLength(100);
    const result = await mutate(REPLAY, input);
    expect(result).toMatchObject({ matched: 251, job: { total: 251, action: 'REPLAY' } });
    const job = await settled(result);
    expect(job).toMatchObject({ total: 251, handled: 250, skipped: 1, outcomes: { stored: 250 } });
    expect(await readings(device.id)).toHaveLength(250);
    expect(await list({ deviceKey: 'many', status: ['OPEN'] })).toMatchObject([{ reason: 'BAD_JSON' }]);
  });

  it('gives messages up and keeps them visible', async () => {
    const device = await acme.device('given-up');
    await frames.send('acme', 'given-up', 'x');
    const [message] = await quarantined('given-up');
    const target = { where: { deviceKey: 'given-up', reasons: ['BAD_JSON'] } };
    expect(await mutate(DISCARD, { target, dryRun: true })).toMatchObject({ matched: 1, job: null });
    await settled(await mutate(DISCARD, { target }));
    expect(await list({ deviceKey: 'given-up' })).toMatchObject([{ id: message.id, status: 'DISCARDED' }]);
    expect(await readings(device.id)).toEqual([]);
    expect(await mutate(DISCARD, { target })).toMatchObject({ code: 'CONFLICT' });
  });

  it('refuses what it cannot do, and whoever may not', async () => {
    await acme.device('refused');
    await frames.sendAll('acme', [
      { device: 'refused', payload: '1' },
      { device: 'refused', payload: '2' },
    ]);
    const nodes = await quarantined('refused', 2);
    const target = { ids: nodes.map((node: { id: string }) => node.id) };
    const code = async (input: Record<string, unknown>, credential = key) =>
      (await mutate(REPLAY, input, credential)).code;
    expect(await code({ target, fix: { text: '{}' } })).toBe('VALIDATION');
    expect(await code({ target, fix: { patch: {} } })).toBe('VALIDATION');
    expect(await code({ target, fix: { patch: { steps: [{ op: 'test', path: '/a' }] } } })).toBe(
      'VALIDATION',
    );
    expect(await code({ target, fix: { base64: '%%' } })).toBe('VALIDATION');
    expect(await code({ target: { ids: [] } })).toBe('VALIDATION');
    expect(await code({ target: { ids: ['x'] } })).toBe('NOT_FOUND');
    expect(await code({ target, dryRun: true }, await api.apiKey(acme, 'VIEWER'))).toBe('FORBIDDEN');
    expect(await code({ target }, await api.apiKey(acme, 'VIEWER'))).toBe('FORBIDDEN');
  });

  it('counts reasons over time', async () => {
    const now = Date.now();
    const { data, errors } = await api.ask(
      key,
      `query ($from: DateTime!, $to: DateTime!) { quarantineReasons(from: $from, to: $to, where: { deviceKey: "many" }) {
        reason total points { at count } } }`,
      { from: new Date(now - 3_600_000).toISOString(), to: new Date(now + 60_000).toISOString() },
    );
    expect(errors).toEqual([]);
    expect(data.quarantineReasons).toMatchObject([
      { reason: 'BAD_KEY', total: 250 },
      { reason: 'BAD_JSON', total: 1 },
    ]);
    const [series] = data.quarantineReasons;
    expect(series.points.reduce((sum: number, point: { count: number }) => sum + point.count, 0)).toBe(250);
  });
});
