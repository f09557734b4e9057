import { describe, expect, it, vi } from 'vitest';
import { bundled, bundlesOf } from './bundles.ts';

async function* bundles() {
  yield [1, 2, 3];
  yield [4];
  yield [5, 6];
}

const open = () => {
  const finish = vi.fn(async () => undefined);
  return { finish, stream: bundled(bundles(), finish) };
};

describe('a stream of bundles', () => {
  it('gives what it has one by one, in order', async () => {
    const items: number[] = [];
    for await (const item of open().stream) items.push(item);
    expect(items).toEqual([1, 2, 3, 4, 5, 6]);
  });

  it('gives what is there at once, and what one by one has left of it', async () => {
    const { stream } = open();
    expect(await stream.next()).toEqual({ done: false, value: 1 });
    expect(await stream.nextBundle()).toEqual([2, 3]);
    expect(await stream.nextBundle()).toEqual([4]);
    expect(await stream.next()).toEqual({ done: false, value: 5 });
    expect(await stream.nextBundle()).toEqual([6]);
    expect(await stream.nextBundle()).toBeUndefined();
    expect(await stream.next()).toEqual({ done: true, value: undefined });
  });

  it('gives nothing any more once it was ended', async () => {
    const { stream, finish } = open();
    await stream.next();
    await stream.return();
    expect(await stream.nextBundle()).toBeUndefined();
    expect(finish).toHaveBeenCalledTimes(1);
  });

  it('passes on what breaks its source', async () => {
    const broken = bundled(
      (async function* () {
        yield [1];
        throw new Error('broken');
      })(),
      async () => undefined,
    );
    expect(await broken.nextBundle()).toEqual([1]);
    await expect(broken.nextBundle()).rejects.toThrow('broken');
  });

  it('is taken in bundles only where that is wanted', async () => {
    expect(await bundlesOf(open().stream, true).next()).toEqual([1, 2, 3]);
    expect(await bundlesOf(open().stream, false).next()).toEqual([1]);
  });
});
