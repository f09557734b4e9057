import type { Admission } from './admission.ts';
import type { CloseReason } from './close-reason.ts';
import type { SessionState } from './session-state.ts';

/** A connection that carries the session of a device. */
export interface Held {
  readonly admission: Admission;
  readonly state: SessionState;
  close(reason: CloseReason, why?: string): void;
}

/** The devices connected here, and the sessions that wait for their device to come back. */
export interface Sessions {
  readonly size: number;
  get(tenant: string, device: string): Held | undefined;
  all(): Iterable<Held>;
  /**
   * What a device left here under this client id, when it asked for that and has not been elsewhere since. It is given out
   * once.
   */
  resume(admission: Admission): SessionState | undefined;
  /** Makes a connection the device's only one. False when a newer one is held already. */
  hold(held: Held): boolean;
  /** The connection ended; its session is kept when the device asked for that. */
  drop(held: Held): void;
}

interface Parked {
  readonly state: SessionState;
  readonly until: number;
  readonly epoch: bigint;
}

/** Keeps up to `maxParked` sessions of absent devices; the one that has waited longest gives way. */
export function createSessions(maxParked: number): Sessions {
  const held = new Map<string, Held>();
  const parked = new Map<string, Parked>();
  const keyOf = (admission: Pick<Admission, 'tenant' | 'device'>) =>
    `${admission.tenant}/${admission.device}`;

  const park = (key: string, state: SessionState, epoch: bigint) => {
    parked.delete(key);
    parked.set(key, { state, epoch, until: Date.now() + state.keepSeconds * 1_000 });
    if (parked.size <= maxParked) return;
    for (const oldest of parked.keys()) {
      parked.delete(oldest);
      return;
    }
  };

  return {
    get size() {
      return held.size;
    },
    get: (tenant, device) => held.get(`${tenant}/${device}`),
    all: () => held.values(),
    resume(admission) {
      const key = keyOf(admission);
      const found = parked.get(key);
      parked.delete(key);
      if (!found || admission.clean || found.until <= Date.now()) return undefined;
      if (found.state.clientId !== admission.clientId || isOutdated(found, admission)) return undefined;
      return found.state;
    },
    hold(connection) {
      const key = keyOf(connection.admission);
      const present = held.get(key);
      if (present && present.admission.epoch > connection.admission.epoch) return false;
      held.set(key, connection);
      return true;
    },
    drop(connection) {
      const key = keyOf(connection.admission);
      const current = held.get(key) === connection;
      if (current) held.delete(key);
      connection.state.downlink.detach();
      if (current && connection.state.keepSeconds > 0)
        park(key, connection.state, connection.admission.epoch);
    },
  };
}

/** The device was at another gateway meanwhile, or began anew there. */
function isOutdated({ state, epoch }: Parked, { kept }: Admission): boolean {
  if (kept === 'unknown') return false;
  return kept ? kept.epoch > epoch : state.written;
}
