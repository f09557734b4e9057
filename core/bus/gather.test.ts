import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createGathering } from './gather.ts';

const message = (seq: number, bytes = 1) => ({ seq, data: new Uint8Array(bytes) });
const numbers = (batch: readonly { readonly seq: number }[] | undefined) => batch?.map(({ seq }) => seq);

/** A gathering whose last batch has just begun, with messages following each other closely. */
async function busy() {
  const gathering = createGathering({ batchMessages: 6, batchBytes: 1_000, gatherMs: 100 });
  for (const seq of [1, 2, 3, 4]) gathering.add(message(seq));
  await gathering.next();
  return gathering;
}

describe('gathering', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('lets a message pass at once that comes after a pause or with few others', async () => {
    const gathering = createGathering({ batchMessages: 6, batchBytes: 1_000, gatherMs: 100 });
    const first = gathering.next();
    gathering.add(message(1));
    expect(numbers(await first)).toEqual([1]);
    gathering.add(message(2));
    expect(numbers(await gathering.next())).toEqual([2]);
  });

  it('puts together what follows closely until its time has come', async () => {
    const gathering = await busy();
    gathering.add(message(5));
    const batch = gathering.next();
    vi.advanceTimersByTime(60);
    gathering.add(message(6));
    vi.advanceTimersByTime(39);
    expect(await Promise.race([batch, Promise.resolve('waiting')])).toBe('waiting');
    vi.advanceTimersByTime(1);
    expect(numbers(await batch)).toEqual([5, 6]);
  });

  it('does not wait with a full batch, nor with what did not fit into the last one', async () => {
    const gathering = await busy();
    const batch = gathering.next();
    for (let seq = 5; seq < 12; seq++) gathering.add(message(seq));
    expect(numbers(await batch)).toEqual([5, 6, 7, 8, 9, 10]);
    expect(numbers(await gathering.next())).toEqual([11]);
    gathering.add(message(12, 600));
    gathering.add(message(13, 600));
    vi.advanceTimersByTime(100);
    expect(numbers(await gathering.next())).toEqual([12]);
    expect(numbers(await gathering.next())).toEqual([13]);
  });

  it('gives no batch once it has ended, and keeps what waits', async () => {
    const gathering = await busy();
    gathering.add(message(5));
    gathering.add({ ...message(5), again: true } as ReturnType<typeof message>);
    const batch = gathering.next();
    gathering.end();
    expect(await batch).toBeUndefined();
    expect(await gathering.next()).toBeUndefined();
    expect([...gathering.waiting()]).toMatchObject([{ seq: 5, again: true }]);
    const empty = createGathering({ batchMessages: 6, batchBytes: 1_000, gatherMs: 100 });
    const waiting = empty.next();
    empty.end();
    expect(await waiting).toBeUndefined();
  });
});
