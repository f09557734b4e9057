import { decodeEvents, EventError, type EventMessage, type TelemetryEvent } from './events.ts';

/**
 * How committed readings travel on EVENTS: one message holds those of many tenants of a shard, so that what a reading costs does
 * not depend on how many tenants there are. It begins with one line of JSON,
 *
 *     {"v":2,"kind":"telemetry","parts":[{"tenant","tenantId","deviceIds":[…],"devices":[…],"receivedAt":[…],"lengths":[…]}]}
 *
 * and goes on with one JSON object a reading, `{"siteId","ts","id","metrics","lat","lng"}`, separated by commas, in the order of
 * the parts. `lengths` are theirs in bytes. Whoever wants some readings, or only needs to know who was heard and when, decodes
 * no others.
 */
const VERSION = 2;
const HEAD = Buffer.from('{"v":2,');
const NEWLINE = 10;

/** A reading to be told about. `metricsJson` is its metrics as JSON text. */
export interface TelemetryToTell extends Omit<TelemetryEvent, 'metrics' | 'lat' | 'lng'> {
  readonly metricsJson: string;
  readonly lat?: number | undefined;
  readonly lng?: number | undefined;
}

/** The readings of one tenant. */
export interface TenantTelemetry {
  readonly tenant: string;
  readonly tenantId: number;
  readonly events: readonly TelemetryToTell[];
}

interface PartHead {
  readonly tenant: string;
  readonly tenantId: number;
  readonly deviceIds: readonly number[];
  readonly devices: readonly string[];
  readonly receivedAt: readonly number[];
}

/** Who was heard in one message, of one tenant; the arrays have one entry a reading. */
export interface TelemetryPart extends PartHead {
  /** The place of its first reading among all of the message. */
  readonly first: number;
}

/** The readings of one message, each decoded when it is first asked for. */
export interface TelemetryBatch {
  readonly kind: 'telemetry';
  readonly parts: readonly TelemetryPart[];
  readonly count: number;
  /** @throws EventError when the message has no such reading or it is not JSON */
  event(index: number): TelemetryEvent;
  /** All of them, in order; at once is cheaper than one by one. */
  events(): readonly TelemetryEvent[];
}

/** At least one reading; a tenant comes once. */
export function encodeTelemetry(tenants: readonly TenantTelemetry[]): Buffer {
  const bodies: string[] = [];
  const parts = tenants.map(({ tenant, tenantId, events }) => {
    const deviceIds: number[] = [];
    const devices: string[] = [];
    const receivedAt: number[] = [];
    const lengths: number[] = [];
    for (const event of events) {
      const body = bodyOf(event);
      bodies.push(body);
      deviceIds.push(event.deviceId);
      devices.push(event.device);
      receivedAt.push(event.receivedAt);
      lengths.push(Buffer.byteLength(body));
    }
    return { tenant, tenantId, deviceIds, devices, receivedAt, lengths };
  });
  return Buffer.from(`${JSON.stringify({ v: VERSION, kind: 'telemetry', parts })}\n${bodies.join(',')}`);
}

function bodyOf({ siteId, ts, id, metricsJson, lat, lng }: TelemetryToTell): string {
  const place = `${lat === undefined ? '' : `,"lat":${lat}`}${lng === undefined ? '' : `,"lng":${lng}`}`;
  return `{"siteId":${siteId},"ts":${ts},"id":"${id}","metrics":${metricsJson}${place}}`;
}

/** Everything that EVENTS carries, readings as a batch: also those of version 1, which the stream may still hold. */
export type OpenEvents = TelemetryBatch | Exclude<EventMessage, { readonly kind: 'telemetry' }>;

/** @throws EventError for an unknown version or anything that is not JSON */
export function openEvents(bytes: Uint8Array): OpenEvents {
  if (HEAD.compare(bytes, 0, HEAD.length) === 0) return openTelemetryBatch(bytes);
  const message = decodeEvents(bytes);
  if (message.kind !== 'telemetry') return message;
  const { tenant, tenantId, events } = message;
  const told = events.map(({ metrics, ...event }) => ({ ...event, metricsJson: JSON.stringify(metrics) }));
  return openTelemetryBatch(encodeTelemetry([{ tenant, tenantId, events: told }]));
}

/**
 * Reads the first line. Keeps `bytes`.
 * @throws EventError for another version, or when the parts contradict each other
 */
function openTelemetryBatch(bytes: Uint8Array): TelemetryBatch {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const headEnd = buffer.indexOf(NEWLINE);
  const heads = readHeads(headEnd < 0 ? buffer : buffer.subarray(0, headEnd));
  const parts: TelemetryPart[] = [];
  let count = 0;
  for (const { tenant, tenantId, deviceIds, devices, receivedAt, lengths } of heads) {
    const sizes = [devices.length, receivedAt.length, lengths.length];
    if (sizes.some((size) => size !== deviceIds.length)) throw new EventError('parts of unequal length');
    parts.push({ tenant, tenantId, deviceIds, devices, receivedAt, first: count });
    count += deviceIds.length;
  }
  return new OpenBatch(buffer, headEnd + 1, heads, parts, count);
}

function readHeads(line: Buffer): readonly (PartHead & { readonly lengths: readonly number[] })[] {
  const { v, kind, parts } = parse<{ v: number; kind: string; parts: ReturnType<typeof readHeads> }>(
    line.toString('utf8'),
  );
  if (v !== VERSION || kind !== 'telemetry' || !Array.isArray(parts))
    throw new EventError('unknown event version');
  return parts;
}

type Body = Omit<TelemetryEvent, 'deviceId' | 'device' | 'receivedAt'>;

class OpenBatch implements TelemetryBatch {
  readonly kind = 'telemetry';
  readonly parts: readonly TelemetryPart[];
  readonly count: number;
  readonly #buffer: Buffer;
  readonly #bodiesAt: number;
  /** Of each reading, where its body ends and which part it is in. */
  readonly #ends: Uint32Array;
  readonly #partOf: Uint32Array;
  readonly #events: (TelemetryEvent | undefined)[];

  constructor(
    buffer: Buffer,
    bodiesAt: number,
    heads: readonly { readonly lengths: readonly number[] }[],
    parts: readonly TelemetryPart[],
    count: number,
  ) {
    this.#buffer = buffer;
    this.#bodiesAt = bodiesAt;
    this.parts = parts;
    this.count = count;
    this.#ends = new Uint32Array(count);
    this.#partOf = new Uint32Array(count);
    this.#events = new Array(count).fill(undefined);
    let [index, end] = [0, bodiesAt - 1];
    for (const [part, { lengths }] of heads.entries()) {
      for (const length of lengths) {
        end += 1 + length;
        this.#partOf[index] = part;
        this.#ends[index++] = end;
      }
    }
    if (count > 0 && end !== buffer.length) throw new EventError('lengths do not add up');
  }

  event(index: number): TelemetryEvent {
    const known = this.#events[index];
    if (known) return known;
    const end = this.#ends[index];
    if (end === undefined) throw new EventError(`no event ${index}`);
    const start = index === 0 ? this.#bodiesAt : (this.#ends[index - 1] ?? 0) + 1;
    const event = this.#complete(index, parse<Body>(this.#buffer.toString('utf8', start, end)));
    this.#events[index] = event;
    return event;
  }

  events(): readonly TelemetryEvent[] {
    const bodies = parse<Body[]>(`[${this.#buffer.toString('utf8', this.#bodiesAt)}]`);
    if (bodies.length !== this.count) throw new EventError('lengths do not add up');
    return bodies.map((body, index) => this.#complete(index, body));
  }

  #complete(index: number, { siteId, ts, id, metrics, lat, lng }: Body): TelemetryEvent {
    const part = this.parts[this.#partOf[index] ?? 0];
    const place = index - (part?.first ?? 0);
    return {
      deviceId: part?.deviceIds[place] ?? -1,
      device: part?.devices[place] ?? '',
      siteId,
      ts,
      id,
      receivedAt: part?.receivedAt[place] ?? 0,
      metrics,
      ...(lat !== undefined && { lat }),
      ...(lng !== undefined && { lng }),
    };
  }
}

function parse<Shape>(text: string): Shape {
  try {
    return JSON.parse(text) as Shape;
  } catch (error) {
    throw new EventError(`not JSON: ${error instanceof Error ? error.message : ''}`);
  }
}
