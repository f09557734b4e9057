import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openTestApi, type TestApi } from '../kit/api.ts';
import { startProcesses, type TestProcesses } from '../kit/processes.ts';
import { type SeededDevice, seedTenant, type TenantSeed } from '../kit/seed.ts';
import { PROMPT_MS, promptly, until } from '../kit/wait.ts';
import { connectPacket, openDevice, openRaw } from './gateway-setup.ts';

const FAULTS = '... on UserError { code message path } ... on ValidationError { issues { path message } }';
const ISSUE = `mutation ($input: DeviceTokenIssueInput!) { deviceTokenIssue(input: $input) { __typename
  ... on DeviceTokenIssueSuccess { device { key credentials { id } presence { credential } }
    token { username secret credential { id hint kind expiresAt revokedAt } } } ${FAULTS} } }`;
const REVOKE = `mutation ($input: DeviceTokenRevokeInput!) { deviceTokenRevoke(input: $input) { __typename
  ... on DeviceTokenRevokeSuccess { credential { id revokedAt } device { presence { credential } } } ${FAULTS} } }`;

describe('device tokens', () => {
  let api: TestApi;
  let processes: TestProcesses;
  let acme: TenantSeed;
  let key: string;
  let mqttUrl: string;

  beforeAll(async () => {
    api = await openTestApi();
    processes = await startProcesses({
      database: api.database,
      natsUrl: api.nats.url,
      start: ['gateway', 'relay'],
    });
    mqttUrl = `mqtt://127.0.0.1:${processes.mqttPort}`;
    acme = await seedTenant(api.database.admin, 'acme');
    key = await api.apiKey(acme, 'ENGINEER');
  });
  afterAll(async () => {
    await processes[Symbol.asyncDispose]();
    await api[Symbol.asyncDispose]();
  });

  const mutate = async (query: string, input: Record<string, unknown>, credential = key) => {
    const { data, errors } = await api.ask(credential, query, { input });
    expect(errors).toEqual([]);
    // biome-ignore lint/suspicious/noExplicitAny: a test reads whatever shape its document asks for
    return Object.values<any>(data)[0];
  };
  const idsOf = async (device: SeededDevice): Promise<{ id: string; credentials: { id: string }[] }> => {
    const { data } = await api.ask(
      key,
      'query ($k: String!) { device(by: { key: $k }) { id credentials { id } } }',
      {
        k: device.key,
      },
    );
    return data.device;
  };
  const returnCode = async (device: SeededDevice) => {
    await using client = await openRaw(mqttUrl);
    client.send(connectPacket(device));
    return (await client.packet('connack')).returnCode;
  };

  it('rotate without a gap: issue, move over, revoke; the session of the revoked one ends within a second', async () => {
    const device = await acme.device('rotating');
    await using before = await openDevice(mqttUrl, device);
    const { id, credentials } = await idsOf(device);
    const issued = await mutate(ISSUE, { deviceId: id });
    expect(issued).toMatchObject({
      device: { credentials: [{}, {}] },
      token: { username: 'acme/rotating', credential: { kind: 'TOKEN', expiresAt: null, revokedAt: null } },
    });
    expect(issued.token.credential.hint).toBe(issued.token.secret.slice(-4));
    expect(before.closed()).toBe(false);
    const renewed = { ...device, password: issued.token.secret };
    // Refusals are remembered for a moment: the gateway has to hear of the new token first.
    await until('the new token to be known', async () => (await returnCode(renewed)) === 0);
    // The second client takes over from the first, then the old token still opens the door.
    await using after = await openDevice(mqttUrl, renewed);
    await until('the takeover', () => before.closed());
    await using again = await openDevice(mqttUrl, device);
    await until('the takeover', () => after.closed());

    const revoked = await mutate(REVOKE, { id: credentials[0]?.id, reason: 'rotated' });
    expect(revoked).toMatchObject({
      credential: { revokedAt: expect.any(String) },
      device: { presence: { credential: 'ACTIVE' } },
    });
    await promptly('the end of the session', () => again.closed());
    expect(await returnCode(device)).toBe(4);
    expect(await returnCode(renewed)).toBe(0);
  });

  it('leaves alone the session of another token, and ends it when its own is revoked', async () => {
    const device = await acme.device('two-tokens');
    const { id, credentials } = await idsOf(device);
    const { token } = await mutate(ISSUE, { deviceId: id });
    await using client = await openDevice(mqttUrl, { ...device, password: token.secret });
    await mutate(REVOKE, { id: credentials[0]?.id });
    await new Promise((resolve) => setTimeout(resolve, 600));
    expect(client.closed()).toBe(false);
    expect((await mutate(REVOKE, { id: token.credential.id })).device.presence.credential).toBe('REVOKED');
    await promptly('the end of the session', () => client.closed());
  });

  it('end when they say', async () => {
    const device = await acme.device('short');
    const { id } = await idsOf(device);
    const expiresAt = new Date(Date.now() + 5_000).toISOString();
    const { token } = await mutate(ISSUE, { deviceId: id, expiresAt });
    expect(token.credential.expiresAt).toBe(expiresAt);
    const short = { ...device, password: token.secret };
    await using client = await openDevice(mqttUrl, short);
    await until('the end of the session', () => client.closed(), 5_000 + PROMPT_MS);
    expect(await returnCode(short)).toBe(4);
  });

  it('are refused where they make no sense', async () => {
    const device = await acme.device('refused');
    const { id, credentials } = await idsOf(device);
    expect(await mutate(ISSUE, { deviceId: id, expiresAt: '2020-01-01T00:00:00Z' })).toMatchObject({
      __typename: 'ValidationError',
      path: ['input', 'expiresAt'],
    });
    expect(await mutate(ISSUE, { deviceId: credentials[0]?.id })).toMatchObject({
      __typename: 'NotFoundError',
    });
    expect(await mutate(REVOKE, { id })).toMatchObject({ __typename: 'NotFoundError' });
    expect(
      await mutate(REVOKE, { id: credentials[0]?.id }, await api.apiKey(acme, 'OPERATOR')),
    ).toMatchObject({
      __typename: 'ForbiddenError',
    });
    for (let live = 1; live < 10; live++)
      expect((await mutate(ISSUE, { deviceId: id })).__typename).toBe('DeviceTokenIssueSuccess');
    expect(await mutate(ISSUE, { deviceId: id })).toMatchObject({ __typename: 'ConflictError' });
    await mutate(REVOKE, { id: credentials[0]?.id });
    expect(await mutate(REVOKE, { id: credentials[0]?.id })).toMatchObject({ __typename: 'ConflictError' });
    expect((await mutate(ISSUE, { deviceId: id })).__typename).toBe('DeviceTokenIssueSuccess');
    await api.database.admin.query(`update devices set status = 'DECOMMISSIONED' where id = $1`, [device.id]);
    expect(await mutate(ISSUE, { deviceId: id })).toMatchObject({ __typename: 'ConflictError' });
  });

  it('give a retry the first token again', async () => {
    const device = await acme.device('retried');
    const { id } = await idsOf(device);
    const input = { deviceId: id, clientMutationId: 'token-1', expiresAt: '2099-01-01T00:00:00Z' };
    const first = await mutate(ISSUE, input);
    const again = await mutate(ISSUE, input);
    expect(again.token.secret).toBe(first.token.secret);
    expect((await idsOf(device)).credentials).toHaveLength(2);
  });
});
