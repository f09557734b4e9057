import type { JsonChange } from '../../data/json-diff.ts';
import type { ShadowStatus } from '../../generated/graphql.ts';
import type { Look } from '../devices/presence.ts';

/** How a device compares to what is desired of it. */
export const shadowStatus: Record<ShadowStatus, Look> = {
  IN_SYNC: {
    ...{ label: 'In sync', shape: 'disc', tone: 'good' },
    meaning: 'The device reports everything that is desired.',
  },
  PENDING: {
    ...{ label: 'Pending', shape: 'half', tone: 'warn' },
    meaning: 'The device has not answered the newest version yet.',
  },
  DIVERGED: {
    ...{ label: 'Diverged', shape: 'triangle', tone: 'bad' },
    meaning: 'The device has answered, but reports something else than is desired.',
  },
  NEVER_REPORTED: {
    ...{ label: 'Never reported', shape: 'dash', tone: 'idle' },
    meaning: 'The device has not said yet how it is.',
  },
};

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Every place that a delta names: what is reported there, and what is desired. */
export function deltaChanges(reported: unknown, delta: unknown, path: readonly string[] = []): JsonChange[] {
  if (!isObject(delta)) return [{ path, before: reported, after: delta }];
  if (path.length > 0 && (!isObject(reported) || Object.keys(delta).length === 0))
    return [{ path, before: reported, after: delta }];
  return Object.keys(delta)
    .sort()
    .flatMap((key) => {
      const said = isObject(reported) && Object.hasOwn(reported, key) ? reported[key] : undefined;
      return deltaChanges(said, delta[key], [...path, key]);
    });
}

/** A document as people read and edit it. */
export const jsonText = (document: unknown): string => JSON.stringify(document, null, 2);

/** `2026-11-21T15:04` in the reader's zone, as an input of date and time wants it; empty for what is no time. */
export function toLocalInput(at: string): string {
  const ms = Date.parse(at);
  if (Number.isNaN(ms)) return '';
  return new Date(ms - new Date(ms).getTimezoneOffset() * 60_000).toISOString().slice(0, 19);
}
