import { describe, expect, it } from 'vitest';
import { cluster, nearest, sharesOf } from './clusters.ts';

const at = (x: number, y: number) => ({ x, y, pin: `${x},${y}` });

describe('clusters', () => {
  it('joins what falls into one square and leaves the rest alone', () => {
    const found = cluster([at(1, 1), at(9, 9), at(50, 50)], 40, { x: 0, y: 0 });
    expect(found).toEqual([
      { x: 5, y: 5, pins: ['1,1', '9,9'] },
      { x: 50, y: 50, pins: ['50,50'] },
    ]);
  });

  it('keeps the same devices together while the map is dragged', () => {
    const points = [at(1, 1), at(39, 39), at(41, 41)];
    const dragged = points.map(({ x, y, pin }) => ({ x: x + 25, y: y - 13, pin }));
    const pins = (found: readonly { pins: readonly string[] }[]) => found.map((each) => each.pins);
    expect(pins(cluster(dragged, 40, { x: 25, y: -13 }))).toEqual(pins(cluster(points, 40, { x: 0, y: 0 })));
  });

  it('loses no device, however many there are', () => {
    const points = Array.from({ length: 10_000 }, (_, index) => at((index * 37) % 1_400, (index * 61) % 900));
    const total = cluster(points, 40, { x: 0, y: 0 }).reduce((sum, { pins }) => sum + pins.length, 0);
    expect(total).toBe(10_000);
  });

  it('finds the nearest mark within reach', () => {
    const found = cluster([at(10, 10), at(100, 100)], 20, { x: 0, y: 0 });
    expect(nearest(found, { x: 12, y: 12 }, 14)?.pins).toEqual(['10,10']);
    expect(nearest(found, { x: 60, y: 60 }, 14)).toBeUndefined();
  });

  it('counts what needs a look first', () => {
    const fine = { connection: 'ONLINE', freshness: 'FRESH' } as const;
    const offline = { connection: 'OFFLINE', freshness: 'FRESH' } as const;
    const stale = { connection: 'ONLINE', freshness: 'STALE' } as const;
    const silent = { connection: 'OFFLINE', freshness: 'SILENT' } as const;
    expect(sharesOf([fine])).toEqual([['fine', 1]]);
    expect(sharesOf([fine, stale, offline, silent, stale])).toEqual([
      ['silent', 1],
      ['stale', 2],
      ['offline', 1],
      ['fine', 1],
    ]);
  });
});
