import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { consumerAnsweredUntil, queueAnsweredUntil } from '#core/bus/answered.ts';
import type { Bus } from '#core/bus/connect.ts';
import {
  type BusMessage,
  type ConsumeOptions,
  consume,
  type DeadLetter,
  done,
  type Fate,
  reject,
  retry,
} from '#core/bus/consume.ts';
import { follow } from '#core/bus/follow.ts';
import { createPublisher } from '#core/bus/publish.ts';
import type { NatsServer } from '#standalone/nats.ts';
import { openTestBus, openTestNats, quiet } from '#tests/kit/nats.ts';
import { until } from '#tests/kit/wait.ts';

const opened = new AsyncDisposableStack();
let nats: NatsServer;
let bus: Bus;

beforeAll(async () => {
  nats = opened.use(await openTestNats());
  bus = opened.use(await openTestBus(nats, { telemetryMaxBytes: 64 * 1024 }));
});
afterAll(() => opened.disposeAsync());

const consumeWith = (shard: number, over: Partial<ConsumeOptions> & Pick<ConsumeOptions, 'handle'>) => {
  const consumption = consume({
    bus,
    stream: 'TELEMETRY',
    durable: `test-${shard}`,
    subjects: [`telemetry.${shard}`],
    batchMessages: 10,
    batchBytes: 1024 * 1024,
    maxHeld: 20,
    log: quiet,
    healthy: async () => true,
    deadLetter: async () => undefined,
    ...over,
  });
  return {
    async [Symbol.asyncDispose]() {
      await consumption.stop(2_000);
    },
  };
};

const publishing = () => {
  const publisher = createPublisher(bus, quiet);
  return Object.assign(publisher, { [Symbol.dispose]: () => publisher.close() });
};

const text = (message: BusMessage) => Buffer.from(message.bytes).toString();
const left = async (shard: number) =>
  (await bus.jsm.streams.info('TELEMETRY', { subjects_filter: `telemetry.${shard}` })).state.subjects?.[
    `telemetry.${shard}`
  ] ?? 0;

describe('consume', () => {
  it('gives a message up only after five attempts with every neighbour healthy, and only once that is on record', async () => {
    using publisher = publishing();
    const letters: DeadLetter[] = [];
    let refusals = 2;
    let attempts = 0;
    await using _ = consumeWith(1, {
      handle: async (messages) => {
        if (messages.some((message) => text(message) === 'poison')) {
          if (messages.length === 1) attempts++;
          throw new Error('cannot be handled');
        }
        return messages.map(() => done);
      },
      deadLetter: async (letter) => {
        if (refusals-- > 0) throw new Error('no dead letter today');
        letters.push(letter);
      },
    });
    await publisher.publish('telemetry.1', Buffer.from('good'), randomUUID());
    await publisher.publish('telemetry.1', Buffer.from('poison'), randomUUID());
    await publisher.publish('telemetry.1', Buffer.from('good too'), randomUUID());
    await until('the dead letter', () => letters.length === 1);
    expect(Buffer.from(letters[0]?.bytes ?? []).toString()).toBe('poison');
    expect(attempts).toBeGreaterThanOrEqual(5);
    await until('an empty stream', async () => (await left(1)) === 0);
  });

  it('never counts an attempt while a neighbour is away', async () => {
    using publisher = publishing();
    let healthy = false;
    let handled = 0;
    await using _ = consumeWith(2, {
      healthy: async () => healthy,
      handle: async (messages) => {
        if (!healthy) throw new Error('database gone');
        handled += messages.length;
        return messages.map(() => done);
      },
      deadLetter: async () => expect.unreachable('a dead letter'),
    });
    await publisher.publish('telemetry.2', Buffer.from('patient'), randomUUID());
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    expect(handled).toBe(0);
    healthy = true;
    await until('the message', () => handled === 1);
  });

  it('begins the next batch when the handler says so, in order, and never more than four at once', async () => {
    using publisher = publishing();
    const begun: string[] = [];
    const release: (() => void)[] = [];
    await using _ = consumeWith(9, {
      batchMessages: 1,
      handle: async (messages, next) => {
        begun.push(...messages.map(text));
        next();
        await new Promise<void>((resolve) => release.push(resolve));
        return messages.map(() => done);
      },
    });
    for (const name of ['a', 'b', 'c', 'd', 'e', 'f'])
      await publisher.publish('telemetry.9', Buffer.from(name), randomUUID());
    await until('four batches', () => begun.length === 4);
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(begun).toEqual(['a', 'b', 'c', 'd']);
    for (let index = 0; index < 6; index++) {
      await until('a batch to end', () => release.length > index);
      release[index]?.();
    }
    await until('an empty stream', async () => (await left(9)) === 0);
    expect(begun).toEqual(['a', 'b', 'c', 'd', 'e', 'f']);
  });

  it('takes from then on what it asks for now, where a consumer of that name is there already', async () => {
    using publisher = publishing();
    const seen: string[] = [];
    const follow = (subjects?: readonly string[]) =>
      consumeWith(8, {
        ...{ stream: 'EVENTS', durable: 'narrowed', ...(subjects && { subjects }) },
        handle: async (messages) => {
          seen.push(...messages.map(text));
          return messages.map(() => done);
        },
      });
    const publish = (kind: string, what: string) =>
      publisher.publish(`events.8.${kind}`, Buffer.from(what), randomUUID());
    {
      await using _ = follow(['events.8.telemetry', 'events.8.presence']);
      await publish('presence', 'a');
      await until('the first', () => seen.length === 1);
    }
    await publish('presence', 'not this one');
    await publish('telemetry', 'b');
    await publish('session', 'c');
    await using _ = follow(['events.8.telemetry', 'events.8.session']);
    await until('the others', () => seen.length === 3);
    expect(seen).toEqual(['a', 'b', 'c']);
  });

  it('settles each message of a batch by its own fate', async () => {
    using publisher = publishing();
    const seen: string[] = [];
    const letters: string[] = [];
    await using _ = consumeWith(3, {
      handle: async (messages) =>
        messages.map((message): Fate => {
          seen.push(text(message));
          if (text(message) === 'bad') return reject('bad');
          return text(message) === 'later' && seen.filter((each) => each === 'later').length === 1
            ? retry(50, 'not yet')
            : done;
        }),
      deadLetter: async (letter) => {
        letters.push(letter.why);
      },
    });
    for (const body of ['fine', 'bad', 'later'])
      await publisher.publish('telemetry.3', Buffer.from(body), randomUUID());
    await until('an empty stream', async () => (await left(3)) === 0 && seen.length === 4);
    expect(letters).toEqual(['bad']);
  });
});

describe('how far a stream has been answered', () => {
  it('is, of a work queue, up to the first message that nobody has answered', async () => {
    using publisher = publishing();
    const held: (() => void)[] = [];
    await until(
      'an empty stream',
      async () => (await bus.jsm.streams.info('TELEMETRY')).state.messages === 0,
    );
    const before = Date.now();
    expect(await queueAnsweredUntil(bus, 'TELEMETRY')).toBeGreaterThanOrEqual(before);
    await using _ = consumeWith(10, {
      batchMessages: 1,
      handle: async (messages) => {
        await new Promise<void>((resolve) => held.push(resolve));
        return messages.map(() => done);
      },
    });
    const stored: number[] = [];
    for (const name of ['a', 'b', 'c']) {
      const { seq } = await publisher.publish('telemetry.10', Buffer.from(name), randomUUID());
      stored.push((await bus.jsm.streams.getMessage('TELEMETRY', { seq }))?.time.getTime() ?? 0);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    for (const [index, time] of stored.entries()) {
      await until('in hand', () => held.length === index + 1);
      expect(await queueAnsweredUntil(bus, 'TELEMETRY')).toBe(time);
      held[index]?.();
      await until('answered', async () => (await left(10)) === stored.length - 1 - index);
    }
    expect(await queueAnsweredUntil(bus, 'TELEMETRY')).toBeGreaterThan(stored[2] ?? 0);
  });

  it('is, of a durable consumer, up to its last answer, and what it has in hand is not answered', async () => {
    using publisher = publishing();
    const held: (() => void)[] = [];
    expect(await consumerAnsweredUntil(bus, 'EVENTS', 'answering')).toBeUndefined();
    await using _ = consumeWith(10, {
      ...{ stream: 'EVENTS', durable: 'answering', subjects: ['events.10.*'], batchMessages: 1 },
      handle: async (messages) => {
        await new Promise<void>((resolve) => held.push(resolve));
        return messages.map(() => done);
      },
    });
    const stored: number[] = [];
    for (const name of ['a', 'b']) {
      const { seq } = await publisher.publish('events.10.telemetry', Buffer.from(name), randomUUID());
      stored.push((await bus.jsm.streams.getMessage('EVENTS', { seq }))?.time.getTime() ?? 0);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    const answered = () => consumerAnsweredUntil(bus, 'EVENTS', 'answering');
    await until('the first in hand', () => held.length === 1);
    expect(await answered(), 'before its first answer').toBeUndefined();
    held[0]?.();
    await until('the second in hand', () => held.length === 2);
    await until('the first answered', async () => (await answered()) === stored[0]);
    held[1]?.();
    await until('everything answered', async () => ((await answered()) ?? 0) > (stored[1] ?? 0));
  });
});

describe('a consumer that is gone', () => {
  it('is made again, by whoever consumed through it', async () => {
    using publisher = publishing();
    const handled: string[] = [];
    await using _ = consumeWith(5, {
      handle: async (messages) => {
        handled.push(...messages.map(text));
        return messages.map(() => done);
      },
    });
    await publisher.publish('telemetry.5', Buffer.from('before'), randomUUID());
    await until('the first', () => handled.includes('before'));
    await bus.jsm.consumers.delete('TELEMETRY', 'test-5');
    await publisher.publish('telemetry.5', Buffer.from('after'), randomUUID());
    await until('the second', () => handled.includes('after'));
  });

  it('tells who follows a stream that was made anew, and goes on', async () => {
    using publisher = publishing();
    const followed: string[] = [];
    let lost = 0;
    const following = follow({
      bus,
      stream: 'EVENTS',
      filter: 'events.1.device',
      from: 1,
      log: quiet,
      onMessage: (message) => followed.push(message.string()),
      onLost: () => lost++,
    });
    for (const body of ['one', 'two'])
      await publisher.publish('events.1.device', Buffer.from(body), randomUUID());
    await until('both', () => followed.length === 2);
    const { config } = await bus.jsm.streams.info('EVENTS');
    await bus.jsm.streams.delete('EVENTS');
    await bus.jsm.streams.add(config);
    await publisher.publish('events.1.device', Buffer.from('three'), randomUUID());
    await until('the third', () => followed.at(-1) === 'three');
    expect(lost).toBe(1);
    await following.stop();
  });
});

describe('publish', () => {
  it('waits while the stream is full and goes on when there is room, without loss or repeat', async () => {
    using publisher = publishing();
    const body = Buffer.alloc(10_000);
    const publishes = Array.from({ length: 12 }, (_, index) =>
      publisher.publish('telemetry.4', body, `full-${index}`),
    );
    await until('a refusal', async () => publisher.pending > 0 && (await left(4)) > 3);
    const sequences: number[] = [];
    await using _ = consumeWith(4, {
      handle: async (messages) => {
        sequences.push(...messages.map((message) => message.sequence));
        return messages.map(() => done);
      },
    });
    await Promise.all(publishes);
    await until('every message', () => sequences.length === 12);
    expect(publisher.pending).toBe(0);
  });

  it('survives kill -9 of the server: every acknowledged message is there once', async () => {
    using publisher = publishing();
    const followed: string[] = [];
    const following = follow({
      bus,
      stream: 'DOWNLINK',
      filter: 'downlink.0',
      from: 1,
      log: quiet,
      onMessage: (message) => followed.push(message.string()),
      onLost: () => expect.unreachable('the place on the stream'),
    });
    const publishes: Promise<unknown>[] = [];
    for (let index = 0; index < 300; index++) {
      publishes.push(publisher.publish('downlink.0', Buffer.from(String(index)), `kill-${index}`));
      if (index === 100 || index === 200) nats.process.kill('SIGKILL');
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    await Promise.all(publishes);
    await until('every message', () => followed.length >= 300);
    expect(new Set(followed).size).toBe(300);
    expect(followed.length).toBe(300);
    await following.stop();
  });
});

describe('streams', () => {
  it('keep their identity when processes and the server come and go', async () => {
    const identity = async () => {
      await using again = await openTestBus(nats, { telemetryMaxBytes: 64 * 1024 });
      return (await again.jsm.streams.info('EVENTS')).created;
    };
    const before = await identity();
    for (let times = 0; times < 2; times++) {
      nats.process.kill('SIGKILL');
      await until('the same stream', async () => (await identity()) === before);
    }
  });
});
