import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readAddressed } from '#core/bus/downlink.ts';
import { decodeEvents } from '#core/bus/events.ts';
import { COMMAND_LIMITS } from '#core/fleet/commands.ts';
import { collect, openTestApi, type TestApi } from '#tests/kit/api.ts';
import { type SeededDevice, seedTenant, type TenantSeed } from '#tests/kit/seed.ts';
import { until } from '#tests/kit/wait.ts';

const FIELDS = `id uuid type params status actor actorName createdAt expiresAt sentAt acknowledgedAt finishedAt details detailsProblem
  device { key } transitions { happening status moved details }`;
const SEND = `mutation ($input: CommandSendInput!) { commandSend(input: $input) { __typename
  ... on CommandSendSuccess { command { ${FIELDS} } }
  ... on UserError { code message path } ... on ValidationError { issues { path message } } ... on QuotaError { limit } } }`;
const CANCEL = `mutation ($input: CommandCancelInput!) { commandCancel(input: $input) { __typename
  ... on CommandCancelSuccess { mayBeCarriedOut command { status transitions { happening status moved } } }
  ... on UserError { code message path } } }`;

const DEFINITION = {
  ...{ metrics: [], slots: [], transports: [], unknownMetrics: 'ACCEPT', invalidValues: 'ACCEPT' },
  ...{ discoverSensors: false, expectedIntervalSeconds: null },
  commands: [
    {
      ...{ key: 'set_rate', name: 'Set rate', description: '' },
      params: {
        type: 'object',
        properties: { seconds: { type: 'integer', minimum: 1 } },
        required: ['seconds'],
        additionalProperties: false,
      },
      response: null,
    },
    { key: 'reboot', name: 'Reboot', description: '', params: null, response: null },
  ],
};

describe('commands, asked for over the API', () => {
  let api: TestApi;
  let acme: TenantSeed;
  let key: string;

  beforeAll(async () => {
    api = await openTestApi();
    acme = await seedTenant(api.database.admin, 'acme');
    key = await api.apiKey(acme, 'OPERATOR');
  });
  afterAll(() => api[Symbol.asyncDispose]());

  const idOf = async ({ key: device }: SeededDevice) =>
    (await api.ask(key, `{ device(by: { key: "${device}" }) { id } }`)).data.device.id as string;
  const send = async (device: SeededDevice, input: Record<string, unknown>, credential = key) => {
    const { data, errors } = await api.ask(credential, SEND, {
      input: { deviceId: await idOf(device), ...input },
    });
    expect(errors).toEqual([]);
    return data.commandSend;
  };
  const cancel = async (id: string) => (await api.ask(key, CANCEL, { input: { id } })).data.commandCancel;
  const moveTo = (commandId: string, status: string) =>
    api.database.admin.query('update device_commands set status = $2::command_status where command_id = $1', [
      commandId,
      status,
    ]);
  const templated = async (name: string) => {
    const device = await acme.device(name);
    await api.database.admin.query(
      `with made as (insert into device_templates (tenant_id, key, name, category) values ($1, $2, $2, 'SENSOR') returning id),
        version as (insert into template_versions (template_id, version, tenant_id, definition, created_by)
          select id, 1, $1, $3, 'test' from made returning template_id)
       update devices set template_id = version.template_id, template_version = 1 from version where devices.id = $4`,
      [acme.id, `${name}-template`, JSON.stringify(DEFINITION), device.id],
    );
    return device;
  };

  it('stores a command, and tells its device and whoever follows in the same transaction', async () => {
    const device = await acme.device('plain');
    const { command } = await send(device, { type: 'anything.goes', params: { a: [1, { b: 'c' }] } });
    expect(command).toMatchObject({
      ...{ type: 'anything.goes', params: { a: [1, { b: 'c' }] }, status: 'QUEUED', details: null },
      ...{ device: { key: 'plain' }, sentAt: null, acknowledgedAt: null, finishedAt: null },
      actor: expect.stringMatching(/^key:\d+$/),
      actorName: 'test',
      transitions: [{ happening: 'QUEUED', status: 'QUEUED', moved: true, details: null }],
    });
    expect(Date.parse(command.expiresAt) - Date.parse(command.createdAt)).toBeCloseTo(3_600_000, -4);
    const { rows } = await api.database.admin.query<{ subject: string; payload: Buffer }>(
      "select subject, payload from outbox where subject ~ 'downlink|command' order by id",
    );
    const [down, event] = rows;
    const envelope = readAddressed(down?.payload ?? Buffer.alloc(0));
    expect(envelope).toMatchObject({
      ...{ tenant: 'acme', device: 'plain', leaf: 'commands', qos: 1, retain: false },
      ...{ id: command.uuid, expiresAt: Date.parse(command.expiresAt) },
    });
    expect(JSON.parse(envelope?.payload.toString() ?? '')).toEqual({
      ...{ command_id: command.uuid, type: 'anything.goes', params: { a: [1, { b: 'c' }] } },
      expires_at: command.expiresAt,
    });
    expect(decodeEvents(event?.payload ?? Buffer.alloc(0))).toMatchObject({
      kind: 'command',
      parts: [{ events: [{ device: 'plain', commandId: command.uuid, status: 'QUEUED', event: 'queued' }] }],
    });
  });

  it('takes what the template of the device says, and says everything that is wrong', async () => {
    const device = await templated('modelled');
    expect((await send(device, { type: 'set_rate', params: { seconds: 5 } })).command.status).toBe('QUEUED');
    expect((await send(device, { type: 'reboot' })).command.params).toEqual({});
    expect(await send(device, { type: 'set_rate', params: { seconds: 0, more: 1 } })).toMatchObject({
      __typename: 'ValidationError',
      issues: [
        { path: ['input', 'params'], message: 'must not have the property more' },
        { path: ['input', 'params', 'seconds'], message: 'must be >= 1' },
      ],
    });
    expect(await send(device, { type: 'reboot', params: { now: true } })).toMatchObject({
      issues: [{ path: ['input', 'params'], message: 'this command takes no parameters' }],
    });
    expect(await send(device, { type: 'explode' })).toMatchObject({
      ...{ __typename: 'NotFoundError', path: ['input', 'type'] },
      message: 'the template modelled-template, version 1, has no command explode',
    });
  });

  it('refuses what no device can be told', async () => {
    const device = await acme.device('strict');
    const bad: readonly (readonly [Record<string, unknown>, string])[] = [
      [{ type: 'Bad Type' }, 'type'],
      [{ type: 'x', params: [1] }, 'params'],
      [{ type: 'x', params: 'text' }, 'params'],
      [{ type: 'x', params: { a: 'nul \0' } }, 'params'],
      [{ type: 'x', params: { a: 'x'.repeat(COMMAND_LIMITS.paramsBytes) } }, 'params'],
      [{ type: 'x', expiresInSeconds: 0 }, 'expiresInSeconds'],
      [{ type: 'x', expiresInSeconds: 604_801 }, 'expiresInSeconds'],
    ];
    for (const [input, field] of bad) {
      const result = await send(device, input);
      expect(result.issues?.[0]?.path.slice(0, 2), JSON.stringify(input)).toEqual(['input', field]);
    }
    for (const status of ['DISABLED', 'DECOMMISSIONED']) {
      await api.database.admin.query('update devices set status = $2::device_status where id = $1', [
        device.id,
        status,
      ]);
      expect(await send(device, { type: 'x' })).toMatchObject({
        ...{ __typename: 'ConflictError', message: `the device is ${status.toLowerCase()}` },
      });
    }
    const viewer = await api.apiKey(acme, 'VIEWER');
    expect(await send(device, { type: 'x' }, viewer)).toMatchObject({ code: 'FORBIDDEN' });
  });

  it('lets a device have so many commands that are not finished, also when many are sent at once', async () => {
    const device = await acme.device('busy');
    await api.database.admin.query(
      `insert into device_commands (tenant_id, device_id, type, params, actor, expires_at)
       select $1, $2, 'x', '{}', 'test', now() + interval '1 hour' from generate_series(1, $3)`,
      [acme.id, device.id, COMMAND_LIMITS.openPerDevice - 3],
    );
    const results = await Promise.all(Array.from({ length: 8 }, () => send(device, { type: 'x' })));
    const refused = results.filter(({ __typename }) => __typename === 'QuotaError');
    expect(refused).toHaveLength(5);
    expect(refused[0]).toMatchObject({ code: 'QUOTA', limit: COMMAND_LIMITS.openPerDevice });
  });

  it('answers a retry with the first answer', async () => {
    const device = await acme.device('retried');
    const input = { type: 'x', clientMutationId: 'once' };
    const [first, second] = [await send(device, input), await send(device, input)];
    expect(second.command.id).toBe(first.command.id);
  });

  it('takes a command back until its device has accepted it', async () => {
    const device = await acme.device('hasty');
    const queued = (await send(device, { type: 'x' })).command;
    expect(await cancel(queued.id)).toEqual({
      __typename: 'CommandCancelSuccess',
      mayBeCarriedOut: false,
      command: {
        status: 'CANCELLED',
        transitions: [
          { happening: 'QUEUED', status: 'QUEUED', moved: true },
          { happening: 'CANCELLED', status: 'CANCELLED', moved: true },
        ],
      },
    });
    expect(await cancel(queued.id)).toMatchObject({ message: 'the command is cancelled already' });
    const sent = (await send(device, { type: 'x' })).command;
    await moveTo(sent.uuid, 'SENT');
    expect(await cancel(sent.id)).toMatchObject({ mayBeCarriedOut: true });
    const accepted = (await send(device, { type: 'x' })).command;
    await moveTo(accepted.uuid, 'ACKNOWLEDGED');
    expect(await cancel(accepted.id)).toMatchObject({ code: 'CONFLICT', path: ['input', 'id'] });
    expect(await cancel('nonsense')).toMatchObject({ code: 'NOT_FOUND' });
  });

  it('lists commands newest first by everything they can be looked for by, with as many statements for many', async () => {
    const [one, two] = [await acme.device('list-1'), await acme.device('list-2')];
    for (const type of ['a', 'b', 'a']) await send(one, { type });
    const other = (await send(two, { type: 'a' })).command;
    await moveTo(other.uuid, 'FAILED');
    const list = async (where: Record<string, unknown>) => {
      const { data, errors } = await api.ask(
        key,
        `query ($where: CommandFilter) { commands(where: $where) { totalCount nodes { type device { key } transitions { status } } } }`,
        { where },
      );
      expect(errors).toEqual([]);
      const { totalCount, nodes } = data.commands;
      expect(totalCount).toBe(nodes.length);
      return nodes.map(
        (node: { type: string; device: { key: string } }) => `${node.device.key} ${node.type}`,
      );
    };
    expect(await list({ deviceKeys: ['list-1'] })).toEqual(['list-1 a', 'list-1 b', 'list-1 a']);
    expect(await list({ deviceKeys: ['list-1'], types: ['b'] })).toEqual(['list-1 b']);
    expect(await list({ deviceKeys: ['list-1', 'list-2'], statuses: ['FAILED'] })).toEqual(['list-2 a']);
    expect(await list({ deviceKeys: ['list-1'], createdBefore: '2020-01-01T00:00:00Z' })).toEqual([]);
    expect(await list({ deviceKeys: ['list-1'], jobId: 'nonsense' })).toEqual([]);
    const { data } = await api.ask(
      key,
      '{ device(by: { key: "list-1" }) { commands(first: 2) { nodes { type } pageInfo { hasNextPage } } } }',
    );
    expect(data.device.commands).toEqual({
      nodes: [{ type: 'a' }, { type: 'b' }],
      pageInfo: { hasNextPage: true },
    });
    const count = async (deviceKeys: string[]) => (await api.statementsOf(() => list({ deviceKeys }))).length;
    expect(await count(['list-1', 'list-2'])).toBe(await count(['list-2']));
  });

  it('follows commands from what is open now, and on from a cursor', async () => {
    const device = await acme.device('followed');
    const open = (await send(device, { type: 'open' })).command;
    const document = `subscription ($where: CommandFilter, $after: Cursor) { commands(where: $where, after: $after) { __typename
      ... on CommandSnapshot { cursor commands { id status } }
      ... on CommandChange { cursor happening command { id type status params device { key } transitions { status } } } } }`;
    const client = api.socket(key);
    const where = { deviceKeys: ['followed'] };
    const live = collect(client, document, { where });
    const snapshot = await until('the snapshot', () => live.items[0]);
    expect(snapshot.commands).toEqual([{ id: open.id, status: 'QUEUED' }]);
    const relay = async () => {
      const { rows } = await api.database.admin.query<{ subject: string; payload: Buffer }>(
        "delete from outbox where subject ~ '^events' returning subject, payload",
      );
      for (const { subject, payload } of rows) await api.bus.js.publish(subject, payload);
    };
    await cancel(open.id);
    const next = (await send(device, { type: 'next', params: { n: 1 } })).command;
    await relay();
    const change = await until('both changes', () => live.items.find((item) => item.command?.id === next.id));
    expect(change).toMatchObject({
      happening: 'QUEUED',
      command: { ...{ type: 'next', status: 'QUEUED', params: { n: 1 }, device: { key: 'followed' } } },
    });
    const cancelled = live.items.find((item) => item.command?.status === 'CANCELLED');
    expect(cancelled.command.id).toBe(open.id);
    const again = collect(client, document, { where, after: cancelled.cursor });
    const missed = await until('what came behind the cursor', () => again.items[0]);
    expect(missed).toEqual(change);
    void client.dispose();
  });
});
