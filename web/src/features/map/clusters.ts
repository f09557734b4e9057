import type { Connectivity, Freshness } from '../../generated/graphql.ts';

/** A device on the screen; pixels from the top left corner of the map. */
export type Placed<Pin> = { readonly x: number; readonly y: number; readonly pin: Pin };

/** Devices too close to one another to be told apart, as one mark; of one device it is that device. */
export type Cluster<Pin> = {
  readonly x: number;
  readonly y: number;
  readonly pins: readonly Pin[];
};

/** Connection and freshness in one word, for a mark of few pixels. */
export type Health = 'silent' | 'stale' | 'offline' | 'fine';

/**
 * Joins devices that fall into one square of `size` pixels, drawn at the mean of their points. The squares are fixed to the
 * earth, whose corner is at `origin` on the screen, so that clusters stay together while the map is dragged.
 */
export function cluster<Pin>(
  placed: readonly Placed<Pin>[],
  size: number,
  origin: { readonly x: number; readonly y: number },
): Cluster<Pin>[] {
  const cells = new Map<string, { x: number; y: number; pins: Pin[] }>();
  for (const { x, y, pin } of placed) {
    const key = `${Math.floor((x - origin.x) / size)}/${Math.floor((y - origin.y) / size)}`;
    const cell = cells.get(key);
    if (cell) {
      cell.x += x;
      cell.y += y;
      cell.pins.push(pin);
    } else cells.set(key, { x, y, pins: [pin] });
  }
  return [...cells.values()].map(({ x, y, pins }) => ({ x: x / pins.length, y: y / pins.length, pins }));
}

const order: readonly Health[] = ['silent', 'stale', 'offline', 'fine'];

/** How many devices are in each state that any is in, what needs a look first at the front. */
export function sharesOf(
  pins: readonly { readonly connection: Connectivity; readonly freshness: Freshness }[],
): (readonly [state: Health, count: number])[] {
  const counts = new Map<Health, number>();
  for (const pin of pins) counts.set(stateOf(pin), (counts.get(stateOf(pin)) ?? 0) + 1);
  return order.flatMap((state) => {
    const count = counts.get(state);
    return count === undefined ? [] : [[state, count] as const];
  });
}

function stateOf({ connection, freshness }: { connection: Connectivity; freshness: Freshness }): Health {
  if (freshness === 'SILENT') return 'silent';
  if (freshness === 'STALE') return 'stale';
  return connection === 'ONLINE' ? 'fine' : 'offline';
}

/** The cluster whose mark is under a point, the nearest first; undefined when there is none within `reach` pixels. */
export function nearest<Pin>(
  clusters: readonly Cluster<Pin>[],
  point: { readonly x: number; readonly y: number },
  reach: number,
): Cluster<Pin> | undefined {
  let best: Cluster<Pin> | undefined;
  let bestDistance = reach;
  for (const each of clusters) {
    const distance = Math.hypot(each.x - point.x, each.y - point.y);
    if (distance <= bestDistance) [best, bestDistance] = [each, distance];
  }
  return best;
}
