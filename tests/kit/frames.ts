import { createFramePublisher, type Receipt } from '#core/bus/frame-publisher.ts';
import type { FrameItem } from '#core/bus/messages.ts';
import { createPublisher } from '#core/bus/publish.ts';
import { quiet } from './nats.ts';

type Bus = Parameters<typeof createPublisher>[0];

/** Puts messages on the bus as a gateway does. */
export interface TestFrames extends Disposable {
  /** Resolves when JetStream has the message; `over` replaces what it says of itself. */
  send(tenant: string, device: string, payload: unknown, over?: Partial<FrameItem>): Promise<Receipt>;
  /** Many at once, in few frames. */
  sendAll(tenant: string, messages: readonly { device: string; payload: unknown }[]): Promise<Receipt[]>;
}

export function openTestFrames(bus: Bus, origin = 'gateway-test'): TestFrames {
  const publisher = createPublisher(bus, quiet, origin);
  const frames = createFramePublisher({ publisher, shards: 16 });
  const send: TestFrames['send'] = (tenant, device, payload, over = {}) =>
    new Promise((resolve, reject) => {
      const item: FrameItem = {
        ...{ tenant, device, kind: 'telemetry', dialect: 'canonical', source: 'mqtt', dup: false },
        receivedAt: Date.now(),
        payload: Buffer.from(typeof payload === 'string' ? payload : JSON.stringify(payload)),
        ...over,
      };
      frames.add(item, (error, receipt) => (receipt ? resolve(receipt) : reject(error)));
    });
  return {
    send,
    sendAll: (tenant, messages) =>
      Promise.all(messages.map(({ device, payload }) => send(tenant, device, payload))),
    [Symbol.dispose]: () => publisher.close(),
  };
}
