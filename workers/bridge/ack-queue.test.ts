import { setImmediate as turn } from 'node:timers/promises';
import { generate, parser } from 'mqtt-packet';
import { describe, expect, it } from 'vitest';
import { AckQueue } from './ack-queue.ts';

/** The acknowledgements in some bytes, as the broker reads them. */
function read(bytes: Buffer): { messageId: number | undefined; reasonCode: number | undefined }[] {
  const found: { messageId: number | undefined; reasonCode: number | undefined }[] = [];
  const packets = parser({ protocolVersion: 5 });
  packets.on('packet', (packet) => {
    if (packet.cmd === 'puback') found.push({ messageId: packet.messageId, reasonCode: packet.reasonCode });
  });
  packets.parse(bytes);
  return found;
}

describe('the acknowledgements of a connection to the broker', () => {
  it('leave in the order of the messages, whatever order they are stored in', async () => {
    const written: Buffer[] = [];
    const queue = new AckQueue((bytes) => written.push(bytes));
    const [first, second, third] = [queue.expect(7), queue.expect(9), queue.expect(8)];
    third(0);
    second(0x90);
    await turn();
    expect(written).toEqual([]);
    expect(queue.waiting).toBe(3);
    first(0);
    await turn();
    expect(written).toHaveLength(1);
    expect(read(written[0] ?? Buffer.alloc(0))).toEqual([
      { messageId: 7, reasonCode: 0 },
      { messageId: 9, reasonCode: 0x90 },
      { messageId: 8, reasonCode: 0 },
    ]);
    expect(queue.waiting).toBe(0);
  });

  it('go nowhere once the connection is gone', async () => {
    const written: Buffer[] = [];
    const queue = new AckQueue((bytes) => written.push(bytes));
    const acknowledge = queue.expect(1);
    queue.close();
    acknowledge(0);
    await turn();
    expect(written).toEqual([]);
  });

  it('go on in order through thousands of messages', async () => {
    const written: Buffer[] = [];
    const queue = new AckQueue((bytes) => written.push(bytes));
    for (let id = 1; id <= 5_000; id++) {
      queue.expect(id)(0);
      if (id % 7 === 0) await turn();
    }
    await turn();
    expect(Buffer.concat(written)).toEqual(
      Buffer.concat(
        Array.from({ length: 5_000 }, (_, index) =>
          generate({ cmd: 'puback', messageId: index + 1, reasonCode: 0 }, { protocolVersion: 5 }),
        ),
      ),
    );
  });
});
