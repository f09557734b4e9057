import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type CommandedOptions, openCommanded } from '#tests/kit/commanded-device.ts';
import { openTestNats } from '#tests/kit/nats.ts';
import { type ProcessName, startProcesses, type TestProcesses } from '#tests/kit/processes.ts';
import { type SeededDevice, seedTenant, type TenantSeed } from '#tests/kit/seed.ts';
import { type OwnDatabase, openOwnDatabase } from '#tests/kit/servers.ts';
import { until } from '#tests/kit/wait.ts';

const DONE = () => [{ status: 'accepted' }, { status: 'ok', details: { took: 3 } }];

const opened = new AsyncDisposableStack();
let database: OwnDatabase;
let processes: TestProcesses;
let second: TestProcesses;
let acme: TenantSeed;
let key: string;

beforeAll(async () => {
  database = opened.use(await openOwnDatabase());
  const nats = opened.use(await openTestNats());
  acme = await seedTenant(database.admin, 'acme');
  key = await acme.apiKey('OPERATOR');
  const start = (names: readonly ProcessName[]) =>
    startProcesses({
      ...{ database, natsUrl: nats.url, start: names },
      env: { JANITOR_COMMANDS_MS: '100' },
    });
  processes = opened.use(await start(['api', 'gateway', 'ingest', 'relay', 'janitor']));
  second = opened.use(await start(['gateway']));
});
afterAll(() => opened.disposeAsync());

const here = () => `mqtt://127.0.0.1:${processes.mqttPort}`;
const there = () => `mqtt://127.0.0.1:${second.mqttPort}`;

/** Asks again while the API is away, as a client does that names its mutations. */
async function ask(query: string, variables: Record<string, unknown> = {}) {
  const request = () =>
    fetch(`http://127.0.0.1:${processes.httpPort}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${key}` },
      body: JSON.stringify({ query, variables }),
    }).then((response) => response.json());
  const { data, errors } = await until('an answer', request);
  expect(errors ?? []).toEqual([]);
  return data;
}

async function send(device: SeededDevice, input: Record<string, unknown> = {}): Promise<Sent> {
  const { device: found } = await ask(`{ device(by: { key: "${device.key}" }) { id } }`);
  const { commandSend } = await ask(
    `mutation ($input: CommandSendInput!) { commandSend(input: $input) {
      ... on CommandSendSuccess { command { id uuid } } ... on UserError { code message } } }`,
    { input: { deviceId: found.id, type: 'blink', clientMutationId: randomUUID(), ...input } },
  );
  return commandSend.command;
}

interface Sent {
  readonly id: string;
  readonly uuid: string;
}

async function look({ id }: Sent) {
  const { node } = await ask(
    `query ($id: ID!) { node(id: $id) { ... on Command { status details detailsProblem sentAt acknowledgedAt finishedAt
      transitions { happening status moved details } } } }`,
    { id },
  );
  return node;
}

const ends = (sent: Sent, status: string) =>
  until(`${status}`, async () => {
    const command = await look(sent);
    return command.status === status && command;
  });
const happenings = (command: { transitions: readonly { happening: string; moved: boolean }[] }) =>
  command.transitions.map(({ happening, moved }) => `${happening}${moved ? '' : ' (late)'}`);
const open = (device: SeededDevice, options?: CommandedOptions, url = here()) =>
  openCommanded(url, device, options);
const isOnline = (device: SeededDevice, epochAbove = '0') =>
  until('its session', async () => {
    const { rows } = await database.admin.query(
      'select epoch::text from device_sessions where device_id = $1 and epoch > $2::bigint',
      [device.id, epochAbove],
    );
    return rows[0]?.epoch as string | undefined;
  });
const quarantined = async (device: SeededDevice) => {
  const { rows } = await database.admin.query(
    'select reason, field from quarantine where device_key = $1 order by id',
    [device.key],
  );
  return rows;
};

describe('a command', () => {
  it('goes to a connected device, which answers it, and is followed through all its states', async () => {
    const device = await acme.device('online');
    await using client = await open(device, { answers: DONE });
    const sent = await send(device, { params: { times: 3 } });
    const command = await ends(sent, 'SUCCEEDED');
    expect(client.heard).toHaveLength(1);
    const [{ message, packet, topic } = {}] = client.heard;
    expect(topic).toBe('tenant/acme/device/online/commands');
    expect(message).toEqual({
      ...{ command_id: sent.uuid, type: 'blink', params: { times: 3 } },
      expires_at: expect.any(String),
    });
    expect(packet?.properties).toMatchObject({ contentType: 'application/json' });
    expect(packet?.properties?.messageExpiryInterval).toBeGreaterThan(3_500);
    expect(command).toMatchObject({ details: { took: 3 }, detailsProblem: null });
    const known = await until('that it was sent', async () => {
      const found = await look(sent);
      return found.sentAt !== null && found;
    });
    expect(known.transitions.map(({ happening }: { happening: string }) => happening).toSorted()).toEqual([
      ...['ACCEPTED', 'OK', 'QUEUED', 'SENT'],
    ]);
  });

  it('is SENT once the device has acknowledged the message, and no sooner', async () => {
    const device = await acme.device('silent');
    await using client = await open(device);
    const sent = await send(device);
    expect(happenings(await ends(sent, 'SENT'))).toEqual(['QUEUED', 'SENT']);
    await client.answer(sent.uuid, 'accepted');
    await ends(sent, 'ACKNOWLEDGED');
    await client.answer(sent.uuid, 'error', { why: 'jammed' });
    expect(await ends(sent, 'FAILED')).toMatchObject({ details: { why: 'jammed' } });
  });

  it.each([
    ['rejected', 'REJECTED'],
    ['unsupported', 'REJECTED'],
    ['error', 'FAILED'],
    ['ok', 'SUCCEEDED'],
  ])('answered with %s is %s', async (status, state) => {
    const device = await acme.device(`answers-${status}`);
    await using _client = await open(device, { answers: () => [{ status }] });
    await ends(await send(device), state);
  });

  it('waits for a device that is away and reaches it in order, each once, also with a kept session', async () => {
    for (const kept of [false, true]) {
      const device = await acme.device(`away-${kept}`);
      if (kept) await (await open(device, { kept }))[Symbol.asyncDispose]();
      const sent: Sent[] = [];
      for (let index = 0; index < 20; index++) sent.push(await send(device, { params: { index } }));
      await using client = await open(device, { kept, answers: DONE });
      for (const each of sent) await ends(each, 'SUCCEEDED');
      expect(client.heard.map(({ message }) => message.params['index'])).toEqual(sent.keys().toArray());
    }
  });

  it('comes again with the next connection until it is answered, and not to the same one', async () => {
    const device = await acme.device('forgetful');
    const sent = await (async () => {
      await using client = await open(device);
      const command = await send(device);
      await ends(command, 'SENT');
      await client.client.subscribeAsync('tenant/acme/device/forgetful/#', { qos: 1 });
      expect(client.heard).toHaveLength(1);
      return command;
    })();
    await using again = await open(device, { answers: () => [{ status: 'accepted' }] });
    await ends(sent, 'ACKNOWLEDGED');
    expect(again.heard.map(({ message }) => message.command_id)).toEqual([sent.uuid]);
    await again[Symbol.asyncDispose]();
    await using third = await open(device);
    const next = await send(device);
    await ends(next, 'SENT');
    expect(third.heard.map(({ message }) => message.command_id)).toEqual([next.uuid]);
  });

  it('expires, is not given to the device afterwards, and a late answer is noted and reopens nothing', async () => {
    const device = await acme.device('late');
    const sent = await send(device, { expiresInSeconds: 1 });
    expect(happenings(await ends(sent, 'EXPIRED'))).toEqual(['QUEUED', 'EXPIRED']);
    await using client = await open(device);
    const after = await send(device);
    await ends(after, 'SENT');
    expect(client.heard.map(({ message }) => message.command_id)).toEqual([after.uuid]);
    await client.answer(sent.uuid, 'ok', { late: true });
    const command = await until('the note', async () => {
      const found = await look(sent);
      return found.transitions.length === 3 && found;
    });
    expect(happenings(command)).toEqual(['QUEUED', 'EXPIRED', 'OK (late)']);
    expect(command).toMatchObject({ status: 'EXPIRED', details: null });
    expect(command.transitions[2].details).toEqual({ late: true });
  });

  it('that is taken back is not given to the device', async () => {
    const device = await acme.device('spared');
    await (await open(device, { kept: true }))[Symbol.asyncDispose]();
    const [first, other] = [await send(device), await send(device)];
    const { commandCancel } = await ask(
      `mutation ($id: ID!) { commandCancel(input: { id: $id }) { ... on CommandCancelSuccess { mayBeCarriedOut command { status } } } }`,
      { id: first.id },
    );
    expect(commandCancel).toEqual({ mayBeCarriedOut: false, command: { status: 'CANCELLED' } });
    await using client = await open(device, { kept: true, answers: DONE });
    await ends(other, 'SUCCEEDED');
    expect(client.heard.map(({ message }) => message.command_id)).toEqual([other.uuid]);
  });

  it('has its answer checked by the template: what was done is done, and what does not fit is said', async () => {
    const device = await acme.device('modelled');
    const schema = { type: 'object', properties: { took: { type: 'string' } }, required: ['took'] };
    const commands = [{ key: 'blink', name: 'Blink', description: '', params: null, response: schema }];
    await database.admin.query(
      `with made as (insert into device_templates (tenant_id, key, name, category) values ($1, 'blinker', 'n', 'SENSOR') returning id),
        version as (insert into template_versions (template_id, version, tenant_id, definition, created_by)
          select id, 1, $1, $2, 'test' from made returning template_id)
       update devices set template_id = version.template_id, template_version = 1 from version where devices.id = $3`,
      [acme.id, JSON.stringify({ commands }), device.id],
    );
    await using _client = await open(device, { answers: DONE });
    expect(await ends(await send(device), 'SUCCEEDED')).toMatchObject({
      details: { took: 3 },
      detailsProblem: 'took must be string',
    });
  });

  it('of another device, or of nobody, cannot be answered: that goes to quarantine', async () => {
    const [device, stranger] = [await acme.device('victim'), await acme.device('stranger')];
    await using _client = await open(device);
    const sent = await send(device);
    await ends(sent, 'SENT');
    await using client = await open(stranger);
    await client.answer(sent.uuid, 'ok');
    await client.answer('00000000-0000-4000-8000-000000000000', 'ok');
    await client.answer('nonsense', 'ok');
    await until('all three', async () => (await quarantined(stranger)).length === 3);
    expect(await quarantined(stranger)).toEqual([
      { reason: 'UNKNOWN_COMMAND', field: 'command_id' },
      { reason: 'UNKNOWN_COMMAND', field: 'command_id' },
      { reason: 'BAD_SHAPE', field: 'command_id' },
    ]);
    expect((await look(sent)).status).toBe('SENT');
  });

  it('goes to a meter of version 2 on its own topic, and is answered there', async () => {
    const device = await acme.device('meter-7');
    const waiting = await send(device, { params: { early: true } });
    await using client = await open(device, { meter: true, answers: DONE });
    await ends(waiting, 'SUCCEEDED');
    await ends(await send(device), 'SUCCEEDED');
    expect(client.heard.map(({ topic }) => topic)).toEqual(['iot/meter-7/command', 'iot/meter-7/command']);
    expect(client.heard[0]?.message).toMatchObject({
      ...{ v: 2, device_id: 'meter-7', msg_type: 'command', ts: expect.any(String) },
      ...{ command_id: waiting.uuid, type: 'blink', params: { early: true } },
    });
  });
});

describe('a command to a group', () => {
  it('reaches those who are here and those who come, and the job says how far all of them are', async () => {
    const devices = await acme.devices(4, 'grouped');
    const [first, second, away, broken] = devices;
    if (!first || !second || !away || !broken) throw new Error('no devices');
    await database.admin.query(
      `with made as (insert into device_groups (tenant_id, key, name, kind) values ($1, 'lamps', 'Lamps', 'STATIC') returning id)
       insert into device_group_members (tenant_id, group_id, device_id) select $1, id, unnest($2::int[]) from made`,
      [acme.id, devices.map(({ id }) => id)],
    );
    await using _first = await open(first, { answers: DONE });
    await using _second = await open(second, { answers: DONE }, there());
    await using _broken = await open(broken, { answers: () => [{ status: 'error' }] });
    const { commandSendMany } = await ask(
      `mutation ($input: CommandSendManyInput!) { commandSendMany(input: $input) { ... on CommandSendManySuccess { job { id } } } }`,
      { input: { target: { groupKey: 'lamps' }, type: 'blink' } },
    );
    const counts = async (expected: Record<string, number>) =>
      until(JSON.stringify(expected), async () => {
        const { job } = await ask(
          'query ($id: ID!) { job(id: $id) { status total changed commandCounts { status count } } }',
          { id: commandSendMany.job.id },
        );
        const found = Object.fromEntries(
          job.commandCounts.map((each: { status: string; count: number }) => [each.status, each.count]),
        );
        return JSON.stringify(found) === JSON.stringify(expected) && job;
      });
    expect(await counts({ QUEUED: 1, SUCCEEDED: 2, FAILED: 1 })).toMatchObject({ total: 4, changed: 4 });
    await using _away = await open(away, { answers: DONE });
    await counts({ SUCCEEDED: 3, FAILED: 1 });
  });
});

describe('with two gateways', () => {
  it('a command follows its device, in order, and comes to whichever gateway it is at', async () => {
    const device = await acme.device('wanders');
    const sent: Sent[] = [];
    const ids: string[] = [];
    let epoch = '0';
    for (const url of [here(), there(), here()]) {
      sent.push(await send(device));
      await using client = await open(device, { answers: DONE, kept: true }, url);
      epoch = await isOnline(device, epoch);
      sent.push(await send(device));
      for (const each of sent) await ends(each, 'SUCCEEDED');
      ids.push(...client.heard.map(({ message }) => message.command_id));
    }
    expect(ids).toEqual(sent.map(({ uuid }) => uuid));
  });
});

describe('when a process is killed', () => {
  it.each(['gateway', 'ingest', 'relay', 'janitor', 'api'] as const)(
    'the %s, every command is there once, reaches its device and ends as its device says',
    async (victim) => {
      const devices = await acme.devices(5, `kill-${victim}`);
      const clients = await Promise.all(
        devices.map((device) => open(device, { returns: true, kept: true, answers: DONE })),
      );
      const sent: { command: Sent; place: number }[] = [];
      const sending = (async () => {
        for (let round = 0; round < 12; round++) {
          for (const [place, device] of devices.entries())
            sent.push({ command: await send(device, { params: { round } }), place });
          await sleep(50);
        }
      })();
      await sleep(400);
      processes.get(victim).kill('SIGKILL');
      await sending;
      for (const { command, place } of sent) {
        await until(
          `the end of ${command.uuid}`,
          async () => (await look(command)).status === 'SUCCEEDED',
          120_000,
        );
        expect(clients[place]?.heard.some(({ message }) => message.command_id === command.uuid)).toBe(true);
      }
      expect(processes.get(victim).restarts).toBeGreaterThan(0);
      const { rows } = await database.admin.query(
        'select command_id as id from device_commands where device_id = any($1) order by command_id',
        [devices.map(({ id }) => id)],
      );
      expect(rows.map(({ id }) => id)).toEqual(sent.map(({ command }) => command.uuid).toSorted());
      await Promise.all(clients.map((client) => client[Symbol.asyncDispose]()));
    },
  );
});
