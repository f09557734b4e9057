import type { Queryable } from './pool.ts';

/** Sealed keys of the platform, by purpose. Adding one where there is one already changes nothing. */
export function createPlatformKeyStore(db: Queryable) {
  return {
    async findKey(purpose: string): Promise<Uint8Array | undefined> {
      const { rows } = await db.query<{ sealed: Buffer }>(
        'select sealed from platform_keys where purpose = $1',
        [purpose],
      );
      return rows[0]?.sealed;
    },
    async addKey(purpose: string, sealed: Uint8Array): Promise<void> {
      await db.query('insert into platform_keys (purpose, sealed) values ($1, $2) on conflict do nothing', [
        purpose,
        sealed,
      ]);
    },
  };
}
