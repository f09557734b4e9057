import { decodeEvents, EventError, type EventMessage, type TelemetryEvent } from './events.ts';

/**
 * How committed readings travel on EVENTS: one message holds those of many tenants of a shard, so that what a reading costs does
 * not depend on how many tenants there are. It begins with one line of JSON,
 *
 *     {"v":2,"kind":"telemetry","parts":[{"tenant","tenantId","deviceIds":[…],"devices":[…],"receivedAt":[…],"lengths":[…],
 *       "lags":[…],"shapes":[…],"shapeOf":[…]}]}
 *
 * and goes on with one JSON object a reading, `{"siteId","ts","id","metrics","flags","lat","lng"}`, separated by commas, in the order of
 * the parts. `lengths` are theirs in bytes; `lags` how long before `receivedAt` each was taken, in ms; `shapes` the names of
 * metrics that a reading may have, joined by commas, and `shapeOf` which of these each has, absent where there is but one.
 * Whoever wants some readings, or only needs to know who was heard and when, decodes no others. Of what was published without
 * lags and shapes the readings say it.
 */
const VERSION = 2;
const HEAD = Buffer.from('{"v":2,');
const NEWLINE = 10;

/** A reading to be told about. `metricsJson` and `flagsJson` are its metrics and flags as JSON text. */
export interface TelemetryToTell extends Omit<TelemetryEvent, 'metrics' | 'flags' | 'lat' | 'lng'> {
  readonly metricsJson: string;
  /** The names of its metrics, joined by commas. */
  readonly shape: string;
  readonly flagsJson?: string | undefined;
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

/** What the first line says of one tenant. */
interface Head extends PartHead {
  readonly lengths: readonly number[];
  readonly lags?: readonly number[];
  readonly shapes?: readonly string[];
  readonly shapeOf?: readonly number[];
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
  /** When a reading was taken, mostly without decoding it. */
  tsOf(index: number): number;
  /** The names of a reading's metrics, joined by commas, mostly without decoding it. */
  shapeOf(index: number): string;
}

/** At least one reading; a tenant comes once. */
export function encodeTelemetry(tenants: readonly TenantTelemetry[]): Buffer {
  const bodies: string[] = [];
  for (const { events } of tenants) for (const event of events) bodies.push(bodyOf(event));
  const text = bodies.join(',');
  const lengthOf = Buffer.byteLength(text) === text.length ? sizeOf : Buffer.byteLength;
  let index = 0;
  const parts = tenants.map(({ tenant, tenantId, events }): Head => {
    const shapes = new Map<string, number>();
    const [deviceIds, devices, receivedAt]: [number[], string[], number[]] = [[], [], []];
    const [lengths, lags, shapeOf]: [number[], number[], number[]] = [[], [], []];
    for (const event of events) {
      deviceIds.push(event.deviceId);
      devices.push(event.device);
      receivedAt.push(event.receivedAt);
      lengths.push(lengthOf(bodies[index++] ?? ''));
      lags.push(event.receivedAt - event.ts);
      const shape = shapes.get(event.shape) ?? shapes.size;
      if (shape === shapes.size) shapes.set(event.shape, shape);
      shapeOf.push(shape);
    }
    const head = {
      tenant,
      tenantId,
      deviceIds,
      devices,
      receivedAt,
      lengths,
      lags,
      shapes: [...shapes.keys()],
    };
    return shapes.size > 1 ? { ...head, shapeOf } : head;
  });
  return Buffer.from(`${JSON.stringify({ v: VERSION, kind: 'telemetry', parts })}\n${text}`);
}

const sizeOf = (ascii: string): number => ascii.length;

/** The names of metrics as `TelemetryToTell` has them. */
export const shapeOf = (metrics: Readonly<Record<string, unknown>>): string => Object.keys(metrics).join();

function bodyOf({ siteId, ts, id, metricsJson, flagsJson, lat, lng }: TelemetryToTell): string {
  const flags = flagsJson === undefined ? '' : `,"flags":${flagsJson}`;
  const place = `${lat === undefined ? '' : `,"lat":${lat}`}${lng === undefined ? '' : `,"lng":${lng}`}`;
  return `{"siteId":${siteId},"ts":${ts},"id":"${id}","metrics":${metricsJson}${flags}${place}}`;
}

/** Everything that EVENTS carries, readings as a batch: also those of version 1, which the stream may still hold. */
export type OpenEvents = TelemetryBatch | Exclude<EventMessage, { readonly kind: 'telemetry' }>;

/** @throws EventError for an unknown version or anything that is not JSON */
export function openEvents(bytes: Uint8Array): OpenEvents {
  if (HEAD.compare(bytes, 0, HEAD.length) === 0) return openTelemetryBatch(bytes);
  const message = decodeEvents(bytes);
  if (message.kind !== 'telemetry') return message;
  const { tenant, tenantId, events } = message;
  const told = events.map(({ metrics, flags, ...event }) => ({
    ...event,
    metricsJson: JSON.stringify(metrics),
    flagsJson: flags && JSON.stringify(flags),
    shape: shapeOf(metrics),
  }));
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
  for (const { tenant, tenantId, deviceIds, devices, receivedAt, lengths, lags, shapeOf } of heads) {
    for (const each of [devices, receivedAt, lengths, lags, shapeOf]) {
      if (each && each.length !== deviceIds.length) throw new EventError('parts of unequal length');
    }
    parts.push({ tenant, tenantId, deviceIds, devices, receivedAt, first: count });
    count += deviceIds.length;
  }
  return new OpenBatch(buffer, headEnd + 1, heads, parts, count);
}

function readHeads(line: Buffer): readonly Head[] {
  const { v, kind, parts } = parse<{ v: number; kind: string; parts: readonly Head[] }>(
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
  readonly #heads: readonly Head[];
  readonly #buffer: Buffer;
  readonly #bodiesAt: number;
  /** Of each reading, where its body ends and which part it is in. */
  readonly #ends: Uint32Array;
  readonly #partOf: Uint32Array;
  readonly #events: (TelemetryEvent | undefined)[];

  constructor(
    buffer: Buffer,
    bodiesAt: number,
    heads: readonly Head[],
    parts: readonly TelemetryPart[],
    count: number,
  ) {
    this.#heads = heads;
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

  tsOf(index: number): number {
    const part = this.#partOf[index] ?? 0;
    const place = index - (this.parts[part]?.first ?? 0);
    const lag = this.#heads[part]?.lags?.[place];
    const receivedAt = this.parts[part]?.receivedAt[place];
    return lag === undefined || receivedAt === undefined ? this.event(index).ts : receivedAt - lag;
  }

  shapeOf(index: number): string {
    const part = this.#partOf[index] ?? 0;
    const { shapes, shapeOf: shapeNumbers } = this.#heads[part] ?? {};
    const shape = shapes?.[shapeNumbers?.[index - (this.parts[part]?.first ?? 0)] ?? 0];
    return shape ?? shapeOf(this.event(index).metrics);
  }

  #complete(index: number, { siteId, ts, id, metrics, flags, lat, lng }: Body): TelemetryEvent {
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
      ...(flags !== undefined && { flags }),
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
