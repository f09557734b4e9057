import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodeGlobalId } from '#api/graphql/global-ids.ts';
import { openLastingKeys } from '#core/auth/lasting-keys.ts';
import { createSecretBox } from '#core/auth/secrets.ts';
import { createPlatformKeyStore } from '#core/db/platform-keys.ts';
import { childEnvironment, PROJECT } from '#standalone/node-process.ts';
import { loadSecrets, saveSecrets } from '#standalone/secrets.ts';
import { openTestApi, type TestApi } from '../kit/api.ts';
import { bearer, doorOf, post } from '../kit/http-device.ts';
import { startProcesses } from '../kit/processes.ts';
import { type SeededDevice, seedTenant, TEST_SECRET, type TenantSeed } from '../kit/seed.ts';
import { connectPacket, openRaw } from './gateway-setup.ts';

const NEW = '02'.repeat(32);
const STRANGE = '03'.repeat(32);
const run = promisify(execFile);
const idOf = (secret: string) => createSecretBox(secret).keyId;

/** `npm run secrets`, and how it ended. */
async function secrets(args: readonly string[], env: Readonly<Record<string, string>>) {
  const main = join(PROJECT, 'standalone', 'secrets', 'main.ts');
  const ended = run(process.execPath, [main, ...args], { env: { ...childEnvironment(), ...env } });
  return ended.then(
    ({ stdout }) => ({ code: 0, output: stdout }),
    (error: { code: number; stdout: string; stderr: string }) => ({
      code: error.code,
      output: `${error.stdout}${error.stderr}`,
    }),
  );
}

describe('the deployment’s secret', () => {
  const env: Record<string, string> = { FLEETGRAPH_SECRET_KEY: TEST_SECRET };
  let api: TestApi;
  let acme: TenantSeed;
  let device: SeededDevice;
  let key: string;
  let made: { token: string };
  let cursor: string;

  beforeAll(async () => {
    api = await openTestApi({ env });
    acme = await seedTenant(api.database.admin, 'acme');
    device = await acme.device('pump');
    key = await api.apiKey(acme);
    made = await makeKey();
    expect((await certify()).__typename).toBe('DeviceCertificateGenerateSuccess');
    cursor = await firstCursor();
  });
  afterAll(() => api[Symbol.asyncDispose]());

  const certify = async () => {
    const { data } = await api.ask(
      key,
      'mutation ($id: ID!) { deviceCertificateGenerate(input: { deviceId: $id }) { __typename } }',
      { id: encodeGlobalId('Device', device.id) },
    );
    return data.deviceCertificateGenerate;
  };
  const makeKey = async (): Promise<{ token: string }> => {
    const { data, errors } = await api.ask(
      key,
      `mutation { apiKeyCreate(input: { name: "n", role: VIEWER, clientMutationId: "once" }) {
        ... on ApiKeyCreateSuccess { token } } }`,
    );
    expect(errors).toEqual([]);
    return data.apiKeyCreate;
  };
  const firstCursor = async (after?: string) => {
    const socket = api.socket(key);
    const stream = socket.iterate({
      query:
        'subscription ($after: Cursor) { presence(after: $after) { ... on PresenceSnapshot { cursor } ... on StreamGap { cursor reason } ... on PresenceChange { cursor } } }',
      variables: { after },
    });
    const first = stream.next();
    const nothing = { value: undefined };
    const { value } = await (after === undefined ? first : Promise.race([first, sleep(500, nothing)]));
    void socket.dispose();
    if (value?.errors) throw new Error(JSON.stringify(value.errors));
    return (value?.data as { presence: { cursor: string } } | undefined)?.presence.cursor ?? '';
  };
  const restartWith = async (newest: string, ...previous: string[]) => {
    env['FLEETGRAPH_SECRET_KEY'] = newest;
    env['FLEETGRAPH_SECRET_KEYS_PREVIOUS'] = previous.join(',');
    await api.restart();
  };
  const expectAllGood = async () => {
    expect((await api.ask(key, '{ viewer { name } }')).status).toBe(200);
    expect((await api.ask(made.token, '{ viewer { name } }')).status).toBe(200);
    expect((await post(`${api.url}${doorOf(device)}`, { metrics: { t: 1 } }, bearer(device))).status).toBe(
      202,
    );
    expect((await fetch(`${api.url}/crl/acme.crl`)).status).toBe(200);
    expect((await certify()).__typename).toBe('DeviceCertificateGenerateSuccess');
    expect(await makeKey()).toEqual(made);
    const gateway = await startProcesses({
      ...{ database: api.database, natsUrl: api.nats.url, start: ['gateway'], env },
    });
    try {
      await using client = await openRaw(`mqtt://127.0.0.1:${gateway.mqttPort}`);
      client.send(connectPacket(device));
      expect((await client.packet('connack')).returnCode).toBe(0);
    } finally {
      await gateway[Symbol.asyncDispose]();
    }
  };
  const rotationEnv = (newest: string, ...previous: string[]) => ({
    DATABASE_URL: api.database.adminUrl,
    FLEETGRAPH_SECRET_KEY: newest,
    FLEETGRAPH_SECRET_KEYS_PREVIOUS: previous.join(','),
  });

  it('may be replaced while the one before is still known: everything goes on', async () => {
    await restartWith(NEW, TEST_SECRET);
    await expectAllGood();
    // A place on the stream that the one before sealed is still a place: no error, and nothing new there.
    expect(await firstCursor(cursor)).toBe('');
  });

  it('lets everything be sealed anew, again and again, and be forgotten then', async () => {
    const before = await secrets(['status'], rotationEnv(NEW, TEST_SECRET));
    expect(before).toMatchObject({ code: 0, output: expect.stringContaining(`newest key is ${idOf(NEW)}`) });
    for (const place of [
      'platform_keys.sealed: 5',
      'platform_authorities.private_key: 1',
      'certificate_authorities.private_key: 1',
      'mutation_results.result: 1',
    ])
      expect(before.output).toContain(`${place} under ${idOf(TEST_SECRET)}`);
    const rotated = await secrets(['rotate'], rotationEnv(NEW, TEST_SECRET));
    expect(rotated.code).toBe(0);
    expect(rotated.output).toContain('5 sealed anew');
    const again = await secrets(['rotate'], rotationEnv(NEW, TEST_SECRET));
    expect(again.code).toBe(0);
    expect(again.output).not.toContain('anew');
    expect(again.output).not.toContain(idOf(TEST_SECRET));
    await restartWith(NEW);
    await expectAllGood();
  });

  it('is missed by name: which key, for what, and nothing is touched', async () => {
    const store = createPlatformKeyStore(api.database.admin);
    await expect(openLastingKeys(store, createSecretBox(STRANGE), [STRANGE])).rejects.toThrow(
      new RegExp(
        `key/device-token is sealed under the key ${idOf(NEW)}, and no key ${idOf(NEW)} is in FLEETGRAPH_SECRET_KEY`,
      ),
    );
    const failed = await secrets(['rotate'], rotationEnv(STRANGE, TEST_SECRET));
    expect(failed.code).toBe(1);
    expect(failed.output).toContain(`NOT: authority/tenant/${acme.id} is sealed under the key ${idOf(NEW)}`);
    const nonsense = await secrets(['rotate'], { ...rotationEnv(NEW), FLEETGRAPH_SECRET_KEYS_PREVIOUS: 'x' });
    expect(nonsense).toMatchObject({
      code: 2,
      output: expect.stringContaining('FLEETGRAPH_SECRET_KEYS_PREVIOUS'),
    });
    await expectAllGood();
  });
});

describe('the secret of a data folder', () => {
  it('is made once, is nobody else’s to read, and is kept beside a new one until nothing needs it', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'fleetgraph-secrets-'));
    try {
      const missing = await secrets(['rotate', '--data', join(folder, 'none')], {});
      expect(missing).toMatchObject({ code: 2, output: expect.stringContaining('there is no platform') });
      mkdirSync(join(folder, 'data'));
      const data = join(folder, 'data');
      const first = loadSecrets(data);
      expect(loadSecrets(data)).toEqual(first);
      expect(first.secretKey).toMatch(/^[0-9a-f]{64}$/);
      expect(statSync(join(data, 'secrets.json')).mode & 0o777).toBe(0o600);
      for (const expected of [[first.secretKey], 2]) {
        expect((await secrets(['rotate', '--data', data], {})).code).toBe(0);
        const { previousSecretKeys } = loadSecrets(data);
        if (typeof expected === 'number') expect(previousSecretKeys).toHaveLength(expected);
        else expect(previousSecretKeys).toEqual(expected);
        expect(statSync(join(data, 'secrets.json')).mode & 0o777).toBe(0o600);
      }
      const { secretKey, ...rest } = loadSecrets(data);
      expect(secretKey).not.toBe(first.secretKey);
      expect(rest).toEqual({ ...first, secretKey: undefined, previousSecretKeys: rest.previousSecretKeys });
      saveSecrets(data, { ...rest, secretKey });
      expect(JSON.parse(readFileSync(join(data, 'secrets.json'), 'utf8')).secretKey).toBe(secretKey);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
