import { EventError, type TelemetryEvent, type TenantEvents } from './events.ts';

/**
 * Readings as they were published before version 3, which EVENTS may still hold: one line of JSON,
 *
 *     {"v":2,"kind":"telemetry","parts":[{"tenant","tenantId","deviceIds":[…],"devices":[…],"receivedAt":[…],"lengths":[…],…}]}
 *
 * and one JSON object a reading, `{"siteId","ts","id","metrics","flags","lat","lng"}`, separated by commas, in the order of the parts.
 */
const HEAD = Buffer.from('{"v":2,');

interface EarlierPart {
  readonly tenant: string;
  readonly tenantId: number;
  readonly deviceIds: readonly number[];
  readonly devices: readonly string[];
  readonly receivedAt: readonly number[];
}

/** Whether these are readings of version 2. */
export const isEarlierTelemetry = (bytes: Uint8Array): boolean => HEAD.equals(bytes.subarray(0, HEAD.length));

/** @throws EventError when it is cut short or its parts contradict each other */
export function readEarlierTelemetry(bytes: Uint8Array): TenantEvents<TelemetryEvent>[] {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8');
  const headEnd = text.indexOf('\n');
  const { parts, bodies } = parse(text.slice(0, Math.max(0, headEnd)), text.slice(headEnd + 1));
  let first = 0;
  const tenants = parts.map(({ tenant, tenantId, deviceIds, devices, receivedAt }) => {
    if (devices.length !== deviceIds.length || receivedAt.length !== deviceIds.length)
      throw new EventError('parts of unequal length');
    const own = bodies.slice(first, first + deviceIds.length);
    first += deviceIds.length;
    const events = own.map((body, place) => ({
      ...body,
      deviceId: deviceIds[place] ?? -1,
      device: devices[place] ?? '',
      receivedAt: receivedAt[place] ?? 0,
    }));
    return { tenant, tenantId, events };
  });
  if (first !== bodies.length) throw new EventError('lengths do not add up');
  return tenants;
}

function parse(head: string, bodies: string): { parts: readonly EarlierPart[]; bodies: TelemetryEvent[] } {
  try {
    const { parts } = JSON.parse(head) as { parts: readonly EarlierPart[] };
    return { parts, bodies: JSON.parse(`[${bodies}]`) as TelemetryEvent[] };
  } catch (error) {
    throw new EventError(`not JSON: ${error instanceof Error ? error.message : ''}`);
  }
}
