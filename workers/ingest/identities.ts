import type { Frame } from '#core/bus/messages.ts';
import type { DeviceIdentity } from '#core/db/devices.ts';

type ItemSource = Frame['items'][number]['source'];

export type FindIdentities = (
  wanted: readonly { tenant: string; device: string }[],
) => Promise<DeviceIdentity[]>;

export interface Identities {
  /**
   * The identity of each, in the same order; whose tenant is unknown has none. One query for all that are not cached. That nobody
   * is called so is not remembered of whom the API has let in: it may have been made since.
   */
  resolve(named: readonly Named[]): Promise<readonly (DeviceIdentity | undefined)[]>;
  /** Forgets a device, or with no device everything about a tenant. */
  forget(tenant: string, device?: string): void;
  clear(): void;
}

interface Named {
  readonly tenant: string;
  readonly device: string;
  readonly source?: ItemSource;
}

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
    async resolve(named) {
      const known: (DeviceIdentity | undefined)[] = new Array(named.length).fill(undefined);
      const missing = new ByName<Named>();
      const at = now();
      /** Most are of the tenant of the one before. */
      let tenant = '';
      let devices: ReadonlyMap<string, Entry> | undefined;
      for (let index = 0; index < named.length; index++) {
        const one = named[index];
        if (!one) continue;
        if (one.tenant !== tenant || !devices) devices = tenants.get(one.tenant);
        tenant = one.tenant;
        const entry = devices?.get(one.device);
        if (entry && entry.staleAt > at && (one.source !== 'http' || entry.identity?.deviceId))
          known[index] = entry.identity;
        else missing.of(one.tenant).set(one.device, one);
      }
      const wanted = missing.values();
      if (wanted.length === 0) return known;
      const asked = generation;
      const found = new ByName<DeviceIdentity>();
      for (const identity of await find(wanted)) found.of(identity.tenant).set(identity.device, identity);
      for (const { tenant, device } of wanted) {
        if (asked === generation) write(tenant, device, found.of(tenant).get(device));
      }
      return named.map(({ tenant, device }, index) =>
        missing.of(tenant).has(device) ? found.of(tenant).get(device) : known[index],
      );
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
