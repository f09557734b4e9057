import DataLoader from 'dataloader';
import type { Operation } from './context.ts';

/** Loads one value; every key asked for in the same tick goes into one batch. */
export type Load<Key, Value> = (operation: Operation, key: Key) => Promise<Value>;

/**
 * Defines a batched, per-operation cached lookup. `batch` answers a map; a key that is not in it gets `absent(key)`.
 */
export function defineLoader<Key extends string | number, Value>(
  batch: (operation: Operation, keys: readonly Key[]) => Promise<ReadonlyMap<Key, Value>>,
  absent: (key: Key) => Value,
): Load<Key, Value> & { prime(operation: Operation, key: Key, value: Value): void } {
  const loaders = new WeakMap<object, DataLoader<Key, Value>>();
  const loaderOf = (operation: Operation) => {
    const existing = loaders.get(operation.loaded());
    if (existing) return existing;
    const loader = new DataLoader<Key, Value>(async (keys) => {
      const found = await batch(operation, keys);
      return keys.map((key) => {
        const value = found.get(key);
        return value === undefined ? absent(key) : value;
      });
    });
    loaders.set(operation.loaded(), loader);
    return loader;
  };
  const load: Load<Key, Value> = (operation, key) => loaderOf(operation).load(key);
  return Object.assign(load, {
    prime(operation: Operation, key: Key, value: Value) {
      loaderOf(operation).prime(key, value);
    },
  });
}
