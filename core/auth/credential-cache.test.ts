import { describe, expect, it } from 'vitest';
import type { DeviceAccess, LiveCredential } from '../fleet/device-access.ts';
import type { DeviceId, TenantId } from '../fleet/ids.ts';
import { createCredentials } from './credential-cache.ts';
import { hashDeviceSecret } from './device-credentials.ts';

const key = Buffer.alloc(32, 7);

const credential = (id: number, secret: string, expiresAt?: Date): LiveCredential => ({
  ...{ id, expiresAt, kind: 'TOKEN', revoked: false },
  secretHash: hashDeviceSecret(key, secret),
});

const accessOf = (credentials: readonly LiveCredential[], active = true): DeviceAccess => ({
  ...{ tenantId: 1 as TenantId, deviceId: 5 as DeviceId, active, credentials },
});

function open(access: DeviceAccess | undefined, ttlMs = 30_000) {
  const state = { access, away: false, asked: 0 };
  const credentials = createCredentials({
    ...{ key, ttlMs, maxEntries: 2 },
    find: async (names) => {
      state.asked += names.length;
      if (state.away) throw new Error('away');
      return names.map(() => state.access);
    },
  });
  return { credentials, state };
}

describe('credentials', () => {
  it('let in whoever knows one of the live secrets, and remember that', async () => {
    const { credentials, state } = open(accessOf([credential(1, 'old'), credential(2, 'new')]));
    expect(await credentials.check('acme', 'd1', 'new')).toMatchObject({ credentialId: 2 });
    expect(await credentials.check('acme', 'd1', 'old')).toMatchObject({ credentialId: 1 });
    expect(state.asked).toBe(1);
    state.away = true;
    expect(await credentials.check('acme', 'd1', 'new')).toMatchObject({ credentialId: 2 });
    expect(await credentials.check('acme', 'd2', 'new')).toBe('UNAVAILABLE');
  });

  it('refuse a wrong secret, an expired one, an unknown device and an inactive one', async () => {
    expect(await open(accessOf([credential(1, 'right')])).credentials.check('acme', 'd1', 'wrong')).toBe(
      'BAD_CREDENTIALS',
    );
    expect(await open(undefined).credentials.check('acme', 'd1', 'right')).toBe('BAD_CREDENTIALS');
    const expired = accessOf([credential(1, 'right', new Date(Date.now() - 1))]);
    expect(await open(expired).credentials.check('acme', 'd1', 'right')).toBe('BAD_CREDENTIALS');
    const inactive = accessOf([credential(1, 'right')], false);
    expect(await open(inactive).credentials.check('acme', 'd1', 'right')).toBe('NOT_ACTIVE');
    expect(await open(inactive).credentials.check('acme', 'd1', 'wrong')).toBe('BAD_CREDENTIALS');
  });

  it('say what is remembered without asking, and nothing of what was forgotten', async () => {
    const { credentials, state } = open(accessOf([credential(1, 'right')]));
    expect(credentials.remembers('acme', 'd1', 1)).toBe(false);
    await credentials.check('acme', 'd1', 'right');
    expect(credentials.remembers('acme', 'd1', 1)).toBe(true);
    expect(credentials.remembers('acme', 'd1', 2)).toBe(false);
    credentials.forgetTenant('acme');
    expect(credentials.remembers('acme', 'd1', 1)).toBe(false);
    const asked = credentials.check('acme', 'd1', 'right');
    credentials.forget('acme', 'd1');
    expect(await asked).toMatchObject({ credentialId: 1 });
    expect(credentials.remembers('acme', 'd1', 1)).toBe(false);
    expect(state.asked).toBe(2);
  });

  it('never take what is kept of a certificate for a password', async () => {
    const certificate: LiveCredential = { ...credential(1, 'right'), kind: 'CERTIFICATE' };
    const { credentials } = open(accessOf([certificate]));
    expect(await credentials.check('acme', 'd1', 'right')).toBe('BAD_CREDENTIALS');
    const fingerprint = Buffer.from(certificate.secretHash);
    expect(await credentials.checkCertificate('acme', 'd1', fingerprint)).toMatchObject({ credentialId: 1 });
    const token = open(accessOf([credential(1, 'right')]));
    expect(await token.credentials.checkCertificate('acme', 'd1', fingerprint)).toBe('UNKNOWN_CERTIFICATE');
  });

  it('ask again once forgotten, and notice what was revoked', async () => {
    const { credentials, state } = open(accessOf([credential(1, 'right')]));
    await credentials.check('acme', 'd1', 'right');
    expect(await credentials.stillLive('acme', 'd1', 1)).toBe(true);
    state.access = accessOf([]);
    credentials.forget('acme', 'd1');
    expect(await credentials.check('acme', 'd1', 'right')).toBe('BAD_CREDENTIALS');
    expect(await credentials.stillLive('acme', 'd1', 1)).toBe(false);
  });

  it('remember only so many devices', async () => {
    const { credentials, state } = open(accessOf([credential(1, 'right')]));
    for (const device of ['d1', 'd2', 'd3', 'd1']) await credentials.check('acme', device, 'right');
    expect(state.asked).toBe(4);
  });

  it('remember devices however many names are made up', async () => {
    const { credentials, state } = open(accessOf([credential(1, 'right')]));
    await credentials.check('acme', 'd1', 'right');
    state.access = undefined;
    for (let n = 0; n < 100; n++) await credentials.check('acme', `made-up-${n}`, 'x');
    state.away = true;
    expect(await credentials.check('acme', 'd1', 'right')).toMatchObject({ credentialId: 1 });
  });

  it('are asked for once, however many guess at once, and again once a second', async () => {
    const { credentials, state } = open(accessOf([credential(1, 'right')]));
    const guess = () => credentials.check('acme', 'd1', 'wrong');
    const answers = await Promise.all(Array.from({ length: 1_000 }, guess));
    expect(new Set(answers)).toEqual(new Set(['BAD_CREDENTIALS']));
    for (let n = 0; n < 1_000; n++) await guess();
    expect(state.asked).toBe(1);
    expect(await credentials.check('acme', 'd1', 'right')).toMatchObject({ credentialId: 1 });
  });

  it('of whoever is likely to be wrong are asked for later, which nobody else waits for', async () => {
    const { credentials } = open(undefined);
    const order: string[] = [];
    const late = credentials.check('acme', 'd1', 'wrong', 'LATE').then(() => order.push('late'));
    const now = credentials.check('acme', 'd1', 'right').then(() => order.push('now'));
    await Promise.all([late, now]);
    expect(order).toEqual(['now', 'late']);
  });

  it('that are being asked for are asked for anew when they are forgotten meanwhile', async () => {
    const { credentials, state } = open(accessOf([credential(1, 'right')]));
    const first = credentials.check('acme', 'd1', 'right');
    credentials.forget('acme', 'd1');
    const second = credentials.check('acme', 'd1', 'right');
    await Promise.all([first, second]);
    expect(state.asked).toBe(2);
  });
});
