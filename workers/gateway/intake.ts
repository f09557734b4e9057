import type { FramePublisher } from '#core/bus/frame-publisher.ts';
import type { MessageTally } from './metrics.ts';
import type { Uplink, UplinkMeaning, UplinkOwner, UplinkPool } from './uplink.ts';

/** Whoever must stop reading while the bus is behind. */
export interface Pausable {
  pause(): void;
  resume(): void;
}

/** The one way from the connections to the bus. */
export interface Intake {
  readonly pool: UplinkPool;
  readonly tally: MessageTally;
  /** True while no socket may be read. */
  readonly congested: boolean;
  /** Publishes a filled record; its owner is told later. */
  send(uplink: Uplink): void;
  /** Publishes what the gateway itself says about a device, or for it; nobody waits for it. */
  announce(
    tenant: string,
    device: string,
    meaning: UplinkMeaning,
    payload: Uint8Array,
    userProperties?: Uint8Array,
  ): void;
  register(reader: Pausable): void;
  unregister(reader: Pausable): void;
}

export function createIntake(publisher: FramePublisher, pool: UplinkPool, tally: MessageTally): Intake {
  const readers = new Set<Pausable>();
  let congested = false;
  publisher.onDrain(() => {
    congested = false;
    for (const reader of readers) {
      if (congested) return;
      reader.resume();
    }
  });

  const send = (uplink: Uplink) => {
    tally.accepted[uplink.kind] += 1;
    tally.payloadBytes += uplink.payload.length;
    const roomLeft = publisher.add(uplink, uplink.done);
    if (roomLeft || congested) return;
    congested = true;
    for (const reader of readers) reader.pause();
  };

  const nobody: UplinkOwner = { settled: (uplink) => pool.give(uplink) };
  return {
    pool,
    tally,
    get congested() {
      return congested;
    },
    send,
    announce(tenant, device, meaning, payload, userProperties) {
      const uplink = pool.take();
      uplink.tenant = tenant;
      uplink.device = device;
      uplink.kind = meaning.kind;
      uplink.dialect = meaning.dialect;
      uplink.payload = payload;
      uplink.userProperties = userProperties;
      uplink.dup = false;
      uplink.receivedAt = Date.now();
      uplink.packetId = 0;
      uplink.owner = nobody;
      send(uplink);
    },
    register: (reader) => readers.add(reader),
    unregister: (reader) => readers.delete(reader),
  };
}
