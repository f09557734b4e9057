import { setTimeout as sleep } from 'node:timers/promises';
import type { Bus } from '#core/bus/connect.ts';
import type { Consumption } from '#core/bus/consume.ts';
import type { FramePublisher } from '#core/bus/frame-publisher.ts';
import type { Service } from '#core/runtime/run-service.ts';
import type { BrokerConnection } from './broker-connection.ts';

export interface BridgeDeps {
  readonly bus: Bus;
  readonly frames: FramePublisher;
  readonly connections: readonly BrokerConnection[];
  /** Begins to hand down what is meant for devices. */
  readonly followDownlink: () => Consumption;
}

/** Of the time to stop in, this much is kept for the goodbyes. */
const GOODBYE_MS = 600;
/** Acknowledgements of what was just stored leave in the next turns. */
const LAST_ACKS_MS = 50;

/** The bridge as a service: reads the broker while the bus can take it, stops without losing what it acknowledged. */
export function createBridge(deps: BridgeDeps): Service {
  const { bus, frames, connections } = deps;
  let downlink: Consumption | undefined;
  const unacknowledged = () => connections.reduce((sum, { unacknowledged: open }) => sum + open, 0);

  return {
    async start() {
      frames.onDrain(() => {
        for (const connection of connections) connection.resume();
      });
      for (const connection of connections) connection.start();
      downlink = deps.followDownlink();
    },

    async stop(deadlineMs) {
      const outcome = await downlink?.stop(Math.max(deadlineMs - GOODBYE_MS, 0));
      for (const connection of connections) connection.stopReading();
      await Promise.race([frames.flush(), sleep(Math.max(deadlineMs - GOODBYE_MS, 0))]);
      await sleep(LAST_ACKS_MS);
      const abandoned = unacknowledged() + (outcome?.abandoned ?? 0);
      for (const connection of connections) connection.stop();
      await sleep(GOODBYE_MS / 2);
      return { abandoned };
    },

    ready: () => bus.connected() && connections.every(({ subscribed }) => subscribed),
  };
}
