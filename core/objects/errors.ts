import { FleetgraphError } from '../runtime/errors.ts';

/** The key breaks the rules for keys. */
export class ObjectKeyError extends FleetgraphError {
  constructor(key: string) {
    super('OBJECT_KEY_INVALID', `not an object key: ${JSON.stringify(key.slice(0, 100))}`);
  }
}

/** Nothing is stored under the key. */
export class ObjectNotFoundError extends FleetgraphError {
  constructor(key: string) {
    super('OBJECT_NOT_FOUND', `no object under ${key}`);
  }
}
