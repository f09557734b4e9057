import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openTestApi, type TestApi } from '../kit/api.ts';
import { type SeededDevice, seedTenant, type TenantSeed } from '../kit/seed.ts';

const BASE = Date.now() - 10 * 3_600_000;
const at = (hours: number): string => new Date(BASE + hours * 3_600_000).toISOString();

describe('availability of a device', () => {
  let api: TestApi;
  let acme: TenantSeed;
  let pump: SeededDevice;
  let key: string;
  let foreignKey: string;

  beforeAll(async () => {
    api = await openTestApi();
    acme = await seedTenant(api.database.admin, 'acme');
    pump = await acme.device('pump');
    key = await api.apiKey(acme, 'VIEWER');
    foreignKey = await api.apiKey(await seedTenant(api.database.admin, 'bravo'), 'ADMIN');
    await api.database.admin.query('update devices set created_at = $1', [at(0)]);
    await api.database.admin.query(
      `insert into presence_changes (tenant_id, device_id, at, connection, freshness, credential, connection_before, freshness_before, credential_before)
       values ($1, $2, $3, 'ONLINE', 'FRESH', 'ACTIVE', 'OFFLINE', 'SILENT', 'ACTIVE'),
              ($1, $2, $4, 'OFFLINE', 'FRESH', 'ACTIVE', 'ONLINE', 'FRESH', 'ACTIVE')`,
      [acme.id, pump.id, at(2), at(4)],
    );
    await api.database.admin.query(
      `insert into device_presence (tenant_id, device_id, connection, freshness, credential) values ($1, $2, 'OFFLINE', 'FRESH', 'ACTIVE')`,
      [acme.id, pump.id],
    );
  });
  afterAll(() => api[Symbol.asyncDispose]());

  const AVAILABILITY = `query ($from: DateTime!, $to: DateTime!, $first: Int! = 25, $count: Int! = 2) { device(by: { key: "pump" }) {
    availability(from: $from, to: $to) { from to uptimeRatio freshRatio changeCount changes(first: $first) { at connection freshness credential }
      parts(count: $count) { from uptimeRatio freshRatio } } } }`;
  const ask = async (variables: Record<string, unknown>) => {
    const { data, errors } = await api.ask(key, AVAILABILITY, variables);
    return { availability: data?.device?.availability, errors };
  };

  it('tells how much of a range the device was there, in parts, and how it changed', async () => {
    expect(await ask({ from: at(0), to: at(8) })).toEqual({
      errors: [],
      availability: {
        from: at(0),
        to: at(8),
        uptimeRatio: 0.25,
        freshRatio: 0.75,
        changeCount: 2,
        changes: [
          { at: at(4), connection: 'OFFLINE', freshness: 'FRESH', credential: 'ACTIVE' },
          { at: at(2), connection: 'ONLINE', freshness: 'FRESH', credential: 'ACTIVE' },
        ],
        parts: [
          { from: at(0), uptimeRatio: 0.5, freshRatio: 0.5 },
          { from: at(4), uptimeRatio: 0, freshRatio: 1 },
        ],
      },
    });
  });

  it('knows the state between two changes, before the first and behind the last', async () => {
    expect((await ask({ from: at(2.5), to: at(3) })).availability).toMatchObject({
      uptimeRatio: 1,
      changeCount: 0,
    });
    expect((await ask({ from: at(0), to: at(1) })).availability).toMatchObject({
      uptimeRatio: 0,
      freshRatio: 0,
    });
    expect((await ask({ from: at(5), to: at(6) })).availability).toMatchObject({
      uptimeRatio: 0,
      freshRatio: 1,
    });
  });

  it('tells nothing of before the device was created and of the future', async () => {
    const { availability } = await ask({ from: at(-100), to: at(100) });
    expect(availability.from).toBe(at(0));
    expect(Date.parse(availability.to)).toBeLessThanOrEqual(Date.now());
    const ahead = await ask({ from: at(20), to: at(30) });
    expect(ahead.availability.uptimeRatio).toBeNull();
  });

  it('refuses a range that is none, and counts out of range', async () => {
    for (const variables of [
      { from: at(1), to: at(1) },
      { from: at(0), to: at(1), first: 0 },
      { from: at(0), to: at(1), count: 501 },
    ]) {
      const { errors } = await ask(variables);
      expect(errors[0]?.extensions?.code).toBe('BAD_USER_INPUT');
    }
  });

  it('tells at most 400 days of a long life', async () => {
    const old = await acme.device('old');
    await api.database.admin.query(
      `update devices set created_at = now() - interval '2 years' where id = $1`,
      [old.id],
    );
    const asked = AVAILABILITY.replace('pump', 'old');
    const whole = await api.ask(key, asked, { from: at(-20_000), to: at(0) });
    expect(whole.errors[0]?.extensions?.code).toBe('BAD_USER_INPUT');
    const part = await api.ask(key, asked, { from: at(-24 * 399), to: at(0) });
    expect(part.errors).toEqual([]);
  });

  it('shows another tenant nothing', async () => {
    const { data } = await api.ask(foreignKey, AVAILABILITY, { from: at(0), to: at(8) });
    expect(data.device).toBeNull();
  });
});
