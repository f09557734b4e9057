import type { Frame } from '#core/bus/messages.ts';
import type { DeviceIdentity } from '#core/db/devices.ts';

type ItemSource = Frame['items'][number]['source'];

export type FindIdentities = (
  wanted: readonly { tenant: string; device: string }[],
) => Promise<DeviceIdentity[]>;

export interface Identities {
  /**
   * Every identity among the pairs; a pair whose tenant is unknown has none. One query for all that are not cached. That nobody
   * is called so is not remembered of whom the API has let in: it may have been made since.
   */
  resolve(
    pairs: Iterable<{ readonly tenant: string; readonly device: string; readonly source?: ItemSource }>,
  ): Promise<IdentityLookup>;
  /** Forgets a device, or with no device everything about a tenant. */
  forget(tenant: string, device?: string): void;
  clear(): void;
}

export type IdentityLookup = (tenant: string, device: string) => DeviceIdentity | undefined;

interface Entry {
  readonly identity: DeviceIdentity | undefined;
  readonly staleAt: number;
}

/** Even when a change was not heard of, it is noticed after this long. */
const TTL_MS = 30_000;
/** A device that does not exist may be created any moment: its traffic should count soon after. */
const UNKNOWN_TTL_MS = 2_000;

/** A bounded cache of who is who. `now` is a clock in milliseconds. */
export function createIdentities(
  find: FindIdentities,
  maxEntries: number,
  now: () => number = Date.now,
): Identities {
  const tenants = new Map<string, Map<string, Entry>>();
  let size = 0;
  /** Rises with every change heard of: an answer that was asked for before it is not kept. */
  let generation = 0;

  const read = (tenant: string, device: string, at: number): Entry | undefined => {
    const entry = tenants.get(tenant)?.get(device);
    return entry && entry.staleAt > at ? entry : undefined;
  };

  const clear = () => {
    tenants.clear();
    size = 0;
  };

  const write = (tenant: string, device: string, identity: DeviceIdentity | undefined) => {
    if (size >= maxEntries) clear();
    const devices = tenants.get(tenant) ?? new Map<string, Entry>();
    tenants.set(tenant, devices);
    if (!devices.has(device)) size++;
    devices.set(device, { identity, staleAt: now() + (identity?.deviceId ? TTL_MS : UNKNOWN_TTL_MS) });
  };

  return {
    async resolve(pairs) {
      const known = new ByName<DeviceIdentity | undefined>();
      const missing = new ByName<{ readonly tenant: string; readonly device: string }>();
      const at = now();
      for (const { tenant, device, source } of pairs) {
        const ofTenant = known.of(tenant);
        if (ofTenant.get(device)?.deviceId || (ofTenant.has(device) && source !== 'http')) continue;
        const entry = read(tenant, device, at);
        if (entry && (source !== 'http' || entry.identity?.deviceId)) ofTenant.set(device, entry.identity);
        else {
          ofTenant.set(device, undefined);
          missing.of(tenant).set(device, { tenant, device });
        }
      }
      const wanted = missing.values();
      if (wanted.length > 0) {
        const asked = generation;
        const found = new ByName<DeviceIdentity>();
        for (const identity of await find(wanted)) found.of(identity.tenant).set(identity.device, identity);
        for (const { tenant, device } of wanted) {
          const identity = found.of(tenant).get(device);
          if (asked === generation) write(tenant, device, identity);
          known.of(tenant).set(device, identity);
        }
      }
      return (tenant, device) => known.of(tenant).get(device);
    },
    forget(tenant, device) {
      generation++;
      const devices = tenants.get(tenant);
      if (!devices) return;
      if (device === undefined) {
        size -= devices.size;
        tenants.delete(tenant);
      } else if (devices.delete(device)) size--;
    },
    clear() {
      generation++;
      clear();
    },
  };
}

/** Something about devices, found without putting their names together. */
class ByName<Value> {
  readonly #tenants = new Map<string, Map<string, Value>>();

  /** What is there about the devices of a tenant, to read or to add to. */
  of(tenant: string): Map<string, Value> {
    let devices = this.#tenants.get(tenant);
    if (!devices) {
      devices = new Map();
      this.#tenants.set(tenant, devices);
    }
    return devices;
  }

  values(): Value[] {
    return [...this.#tenants.values()].flatMap((devices) => [...devices.values()]);
  }
}
