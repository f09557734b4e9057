import { describe, expect, it } from 'vitest';
import type { HeldSession, SessionClaim } from '#core/db/sessions.ts';
import type { DeviceId, TenantId } from '#core/fleet/ids.ts';
import { createClaims } from './claims.ts';

/** A table of sessions that can be away. */
function openTable() {
  let sequence = 0n;
  let away = false;
  const rows = new Map<number, bigint>();
  const answer = <Result>(work: () => Result): Promise<Result> =>
    away ? Promise.reject(new Error('away')) : Promise.resolve(work());
  const claims = createClaims({
    claim: (wanted: readonly SessionClaim[]) =>
      answer(() =>
        wanted.map(({ deviceId, epoch = ++sequence }) => {
          if ((rows.get(deviceId) ?? 0n) >= epoch) return undefined;
          rows.set(deviceId, epoch);
          return epoch;
        }),
      ),
    reserve: (count) => answer(() => Array.from({ length: count }, () => ++sequence)),
    release: (ended: readonly HeldSession[]) =>
      answer(() => {
        for (const { deviceId, epoch } of ended) if (rows.get(deviceId) === epoch) rows.delete(deviceId);
      }),
  });
  return {
    ...{ claims, rows },
    take: async (device: number) => (await claims.take(claimOf(device)))?.epoch ?? 0n,
    setAway: (value: boolean) => {
      away = value;
    },
  };
}

const claimOf = (device: number) => ({
  tenantId: 1 as TenantId,
  deviceId: device as DeviceId,
  clientId: 'c',
  connectedAt: new Date(),
});

describe('session claims', () => {
  it('give two connects of one device in the same moment two epochs, the later one higher', async () => {
    const { take } = openTable();
    const [first, second] = await Promise.all([take(1), take(1)]);
    expect(second).toBeGreaterThan(first);
  });

  it('go on without the database, above every epoch of the device, and are written down later', async () => {
    const { claims, take, rows, setAway } = openTable();
    await claims.settle();
    const before = await take(1);
    setAway(true);
    const during = await take(1);
    expect(during).toBeGreaterThan(before);
    const other = await take(2);
    await expect(claims.settle()).rejects.toThrow('away');
    claims.end({ deviceId: 1 as DeviceId, epoch: before });
    setAway(false);
    await claims.settle();
    expect(rows).toEqual(
      new Map([
        [1, during],
        [2, other],
      ]),
    );
    expect(await take(1)).toBeGreaterThan(during);
  });

  it('are refused when there is neither a database nor a reserve', async () => {
    const { take, setAway } = openTable();
    setAway(true);
    await expect(take(1)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  });

  it('end only the session they name', async () => {
    const { claims, take, rows } = openTable();
    const first = await take(1);
    const second = await take(1);
    claims.end({ deviceId: 1 as DeviceId, epoch: first });
    await claims.settle();
    expect(rows.get(1)).toBe(second);
    claims.end({ deviceId: 1 as DeviceId, epoch: second });
    await claims.settle();
    expect(rows.size).toBe(0);
  });
});
