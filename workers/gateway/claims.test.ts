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
    const { claims } = openTable();
    const [first = 0n, second = 0n] = await Promise.all([claims.take(claimOf(1)), claims.take(claimOf(1))]);
    expect(second).toBeGreaterThan(first);
  });

  it('go on without the database, above every epoch of the device, and are written down later', async () => {
    const { claims, rows, setAway } = openTable();
    await claims.settle();
    const before = (await claims.take(claimOf(1))) ?? 0n;
    setAway(true);
    const during = (await claims.take(claimOf(1))) ?? 0n;
    expect(during).toBeGreaterThan(before);
    const other = await claims.take(claimOf(2));
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
    expect(await claims.take(claimOf(1))).toBeGreaterThan(during);
  });

  it('are refused when there is neither a database nor a reserve', async () => {
    const { claims, setAway } = openTable();
    setAway(true);
    await expect(claims.take(claimOf(1))).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  });

  it('end only the session they name', async () => {
    const { claims, rows } = openTable();
    const first = (await claims.take(claimOf(1))) ?? 0n;
    const second = (await claims.take(claimOf(1))) ?? 0n;
    claims.end({ deviceId: 1 as DeviceId, epoch: first });
    await claims.settle();
    expect(rows.get(1)).toBe(second);
    claims.end({ deviceId: 1 as DeviceId, epoch: second });
    await claims.settle();
    expect(rows.size).toBe(0);
  });
});
