import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openTestApi, type TestApi } from '../kit/api.ts';
import { type SeededDevice, seedTenant, type TenantSeed } from '../kit/seed.ts';

const LAST = 2 ** 47 - 1;
const at = (minute: number): string => `2026-11-20T12:${String(minute).padStart(2, '0')}:00.000Z`;

describe('sequence of a device', () => {
  let api: TestApi;
  let acme: TenantSeed;
  let pump: SeededDevice;
  let key: string;
  let foreignKey: string;

  beforeAll(async () => {
    api = await openTestApi();
    acme = await seedTenant(api.database.admin, 'acme');
    pump = await acme.device('pump');
    await acme.device('mute');
    key = await api.apiKey(acme, 'VIEWER');
    foreignKey = await api.apiKey(await seedTenant(api.database.admin, 'bravo'), 'ADMIN');
    await api.database.admin.query(
      `insert into device_sequences (tenant_id, device_id, boot, last_seq, received, duplicates, out_of_order, missing, last_at)
       values ($1, $2, 3, 9, 8, 0, 0, 2, $3), ($1, $2, 4, $5, 6, 2, 1, 3, $4)`,
      [acme.id, pump.id, at(1), at(2), LAST],
    );
    await api.database.admin.query(
      `insert into sequence_gaps (tenant_id, device_id, boot, from_seq, to_seq, missing, first_seen_at, opened_at, healed_at)
       values ($1, $2, 4, 5, 7, 3, $3, now(), null), ($1, $2, 4, 2, 2, 0, $4, now(), $5), ($1, $2, 3, 1, 2, 2, $4, now(), null)`,
      [acme.id, pump.id, at(2), at(1), at(3)],
    );
  });
  afterAll(() => api[Symbol.asyncDispose]());

  const SEQUENCE = `query ($key: String!, $boot: Int, $first: Int! = 10) { device(by: { key: $key }) { sequence(boot: $boot) {
    boot lastSeq received duplicates outOfOrder missing lastMessageAt gaps(first: $first) { from to missing firstSeenAt healedAt } } } }`;
  const ask = async (variables: Record<string, unknown>) => {
    const { data, errors } = await api.ask(key, SEQUENCE, { key: 'pump', ...variables });
    return { sequence: data?.device.sequence, errors };
  };

  it('tells of the life heard of last, its gaps newest first', async () => {
    expect(await ask({})).toEqual({
      errors: [],
      sequence: {
        boot: 4,
        lastSeq: LAST,
        received: 6,
        duplicates: 2,
        outOfOrder: 1,
        missing: 3,
        lastMessageAt: at(2),
        gaps: [
          { from: 5, to: 7, missing: 3, firstSeenAt: at(2), healedAt: null },
          { from: 2, to: 2, missing: 0, firstSeenAt: at(1), healedAt: at(3) },
        ],
      },
    });
    expect((await ask({ first: 1 })).sequence.gaps).toMatchObject([{ from: 5 }]);
  });

  it('tells of an earlier life when asked, and of none that there was not', async () => {
    expect((await ask({ boot: 3 })).sequence).toMatchObject({ boot: 3, gaps: [{ from: 1, to: 2 }] });
    expect((await ask({ boot: 5 })).sequence).toBeNull();
    expect((await ask({ key: 'mute' })).sequence).toBeNull();
  });

  it('refuses what is out of range', async () => {
    for (const variables of [{ boot: -1 }, { boot: 65_536 }, { first: 0 }, { first: 101 }]) {
      const { errors } = await ask(variables);
      expect(errors[0]?.extensions?.code).toBe('BAD_USER_INPUT');
    }
  });

  it('shows another tenant nothing', async () => {
    const { data } = await api.ask(foreignKey, SEQUENCE, { key: 'pump' });
    expect(data.device).toBeNull();
  });
});
