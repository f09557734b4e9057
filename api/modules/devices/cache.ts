import type { Operation } from '#api/graphql/context.ts';
import type { CredentialState } from '#core/fleet/credential-state.ts';
import { readCredentialStates } from './credentials.ts';
import { type DeviceRow, readDevices } from './store.ts';

/**
 * Devices as live events show them, per tenant. An entry lives at most 30 s and goes at once when its device is said to
 * have changed. Bounded in number; the oldest goes first.
 */
export interface DeviceCache {
  read(operation: Operation, ids: readonly number[]): Promise<Map<number, DeviceRow>>;
  readCredentialStates(operation: Operation, ids: readonly number[]): Promise<Map<number, CredentialState>>;
  /** The device with this key was changed. */
  invalidate(tenantId: number, key: string): void;
  clear(): void;
  readonly size: number;
}

const LIFETIME_MS = 30_000;
const MAX_ENTRIES = 50_000;

interface Entry {
  readonly key: string;
  readonly device: DeviceRow;
  readonly credential: CredentialState;
  readonly until: number;
}

export function createDeviceCache(): DeviceCache {
  const entries = new Map<string, Entry>();
  /** Invalidations seen so far: what was being read when one came is not kept. */
  let generation = 0;
  const nameOf = (tenantId: number, id: number) => `${tenantId}/${id}`;

  const load = async (operation: Operation, ids: readonly number[]): Promise<Map<number, Entry>> => {
    const { tenantId } = operation.viewer;
    const now = Date.now();
    const found = new Map<number, Entry>();
    for (const id of ids) {
      const entry = entries.get(nameOf(tenantId, id));
      if (entry && entry.until > now) found.set(id, entry);
    }
    const missing = ids.filter((id) => !found.has(id));
    if (missing.length === 0) return found;
    const before = generation;
    const rows = await readDevices(operation.read, missing);
    const credentials = await readCredentialStates(operation.read, missing);
    for (const device of rows) {
      const credential = credentials.get(device.id) ?? 'NONE';
      const entry = { key: `${tenantId}/${device.key}`, device, credential, until: now + LIFETIME_MS };
      found.set(device.id, entry);
      if (generation === before) keep(nameOf(tenantId, device.id), entry);
    }
    return found;
  };

  const idsByKey = new Map<string, string>();
  const keep = (name: string, entry: Entry) => {
    if (entries.size >= MAX_ENTRIES) {
      const [oldest, gone] = entries.entries().next().value ?? [];
      if (oldest !== undefined) entries.delete(oldest);
      if (gone) idsByKey.delete(gone.key);
    }
    entries.delete(name);
    entries.set(name, entry);
    idsByKey.set(entry.key, name);
  };

  return {
    async read(operation, ids) {
      const found = await load(operation, ids);
      return new Map([...found].map(([id, entry]) => [id, entry.device]));
    },
    async readCredentialStates(operation, ids) {
      const found = await load(operation, ids);
      return new Map([...found].map(([id, entry]) => [id, entry.credential]));
    },
    invalidate(tenantId, key) {
      generation += 1;
      const name = idsByKey.get(`${tenantId}/${key}`);
      if (name !== undefined) entries.delete(name);
      idsByKey.delete(`${tenantId}/${key}`);
    },
    clear() {
      generation += 1;
      entries.clear();
      idsByKey.clear();
    },
    get size() {
      return entries.size;
    },
  };
}
