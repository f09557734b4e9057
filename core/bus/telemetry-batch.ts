import { JsonText } from '../fleet/json-text.ts';
import { type MessageId, readMessageId } from '../fleet/message-id.ts';
import { isEarlierTelemetry, readEarlierTelemetry } from './earlier-telemetry.ts';
import {
  decodeEvents,
  type EventBatch,
  EventError,
  readSigns,
  type SignBatch,
  type TelemetryEvent,
  type TenantEvents,
} from './events.ts';
import { columnBytes, readColumns, type TelemetryColumns } from './telemetry-columns.ts';
import { encodeTelemetry, TELEMETRY_VERSION, type TenantTelemetry } from './telemetry-encoding.ts';
import { shapeOf } from './telemetry-shapes.ts';

/**
 * How committed readings travel on EVENTS: one message holds those of many tenants of a shard, so that what a reading costs does
 * not depend on how many tenants there are. It begins with one line of JSON,
 *
 *     {"v":3,"kind":"telemetry","parts":[{"tenant","tenantId","count"}],"shapes":[…],"signs":[…]}
 *
 * where `shapes` are the names of metrics that a reading may have, joined by commas, and `signs` what else was heard at the same time, as
 * messages of those kinds say it; absent where that is nothing. Then come columns (`telemetry-columns.ts`), the
 * keys of the devices one behind the other in ASCII, and one JSON object a reading, `{"siteId","id","metrics","flags","lat","lng"}`,
 * separated by commas: all in the order of the parts. Whoever wants some readings, or only needs to know who was heard and when,
 * decodes no others, and what is kept of a message is little more than its bytes.
 */
const HEAD = Buffer.from(`{"v":${TELEMETRY_VERSION},`);
const NEWLINE = 10;

/** The readings of one tenant within a message: `count` of them from the place `first` on. */
export interface TelemetryPart {
  readonly tenant: string;
  readonly tenantId: number;
  readonly first: number;
  readonly count: number;
}

/** The readings of one message, each decoded when it is first asked for. */
export interface TelemetryBatch extends Pick<TelemetryColumns, 'deviceIds' | 'receivedAt' | 'takenAt'> {
  readonly kind: 'telemetry';
  readonly parts: readonly TelemetryPart[];
  readonly count: number;
  /** What else was heard at the same time. */
  readonly signs: readonly SignBatch[];
  /** @throws EventError when the message has no such reading or it is not JSON */
  event(index: number): TelemetryEvent;
  /** All of them, in order; at once is cheaper than one by one. */
  events(): readonly TelemetryEvent[];
  /** The key of a reading's device, without decoding it. */
  deviceOf(index: number): string;
  /** The names of a reading's metrics, joined by commas, without decoding it. */
  shapeOf(index: number): string;
}

/** Everything that EVENTS carries, readings as a batch: also those of earlier versions, which the stream may still hold. */
export type OpenEvents = TelemetryBatch | Exclude<EventBatch, { readonly kind: 'telemetry' }>;

/** @throws EventError for an unknown version or anything that is not JSON */
export function openEvents(bytes: Uint8Array): OpenEvents {
  if (HEAD.equals(bytes.subarray(0, HEAD.length))) return openTelemetryBatch(bytes);
  if (isEarlierTelemetry(bytes))
    return openTelemetryBatch(encodeTelemetry(readEarlierTelemetry(bytes).map(toTell)));
  const batch = decodeEvents(bytes);
  if (batch.kind !== 'telemetry') return batch;
  return openTelemetryBatch(encodeTelemetry(batch.parts.map(toTell)));
}

function toTell({ tenant, tenantId, events }: TenantEvents<TelemetryEvent>): TenantTelemetry {
  const told = events.map(({ deviceId, device, siteId, metrics, flags, id, ...event }) => ({
    ...{ ...event, identity: { deviceId, device, siteId } },
    id: idOf(id),
    metrics: JsonText.of(JSON.stringify(metrics)),
    flagsJson: flags && JSON.stringify(flags),
    shape: shapeOf(metrics),
  }));
  return { tenant, tenantId, events: told };
}

function idOf(text: string): MessageId {
  try {
    return readMessageId(text);
  } catch {
    throw new EventError(`no message id: ${text}`);
  }
}

/** Keeps `bytes`. @throws EventError when they contradict themselves */
function openTelemetryBatch(bytes: Uint8Array): TelemetryBatch {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const headEnd = buffer.indexOf(NEWLINE);
  const { parts: heads, shapes, signs } = parse<Head>(buffer.toString('utf8', 0, Math.max(0, headEnd)));
  if (!Array.isArray(heads) || !Array.isArray(shapes)) throw new EventError('a head without parts');
  const parts: TelemetryPart[] = [];
  let first = 0;
  for (const { tenant, tenantId, count } of heads) {
    if (!(Number.isInteger(count) && count >= 0)) throw new EventError('a part without a count');
    parts.push({ tenant, tenantId, first, count });
    first += count;
  }
  const { columns, nameBytes } = readColumns(buffer, headEnd + 1, first, shapes.length);
  const namesAt = headEnd + 1 + columnBytes(first);
  const bodiesAt = namesAt + nameBytes;
  if (bodiesAt + (columns.ends.at(-1) ?? 0) !== buffer.length) throw new EventError('lengths do not add up');
  const at = { names: namesAt, bodies: bodiesAt };
  return new OpenBatch(buffer, { parts, shapes, signs: readSigns(signs) }, columns, at);
}

interface Head {
  readonly parts: readonly Omit<TelemetryPart, 'first'>[];
  readonly shapes: readonly string[];
  readonly signs?: unknown;
}

type Body = Pick<TelemetryEvent, 'siteId' | 'id' | 'metrics' | 'flags' | 'lat' | 'lng'>;

class OpenBatch implements TelemetryBatch {
  readonly kind = 'telemetry';
  readonly parts: readonly TelemetryPart[];
  readonly count: number;
  readonly signs: readonly SignBatch[];
  readonly deviceIds: Int32Array;
  readonly receivedAt: Float64Array;
  readonly takenAt: Float64Array;
  readonly #shapes: readonly string[];
  readonly #columns: TelemetryColumns;
  readonly #buffer: Buffer;
  readonly #at: { readonly names: number; readonly bodies: number };
  /** Of the devices, one behind the other, and where each ends. */
  #names: { readonly text: string; readonly ends: Uint32Array } | undefined;
  #events: (TelemetryEvent | undefined)[] | undefined;

  constructor(
    buffer: Buffer,
    { parts, shapes, signs }: Pick<TelemetryBatch, 'parts' | 'signs'> & Pick<Head, 'shapes'>,
    columns: TelemetryColumns,
    at: { readonly names: number; readonly bodies: number },
  ) {
    this.#buffer = buffer;
    this.parts = parts;
    this.signs = signs;
    this.#shapes = shapes;
    this.#columns = columns;
    this.#at = at;
    this.count = columns.ends.length;
    this.deviceIds = columns.deviceIds;
    this.receivedAt = columns.receivedAt;
    this.takenAt = columns.takenAt;
  }

  event(index: number): TelemetryEvent {
    const known = this.#events?.[index];
    if (known) return known;
    const end = this.#columns.ends[index];
    if (end === undefined) throw new EventError(`no event ${index}`);
    const start = index === 0 ? 0 : (this.#columns.ends[index - 1] ?? 0) + 1;
    const { bodies } = this.#at;
    const event = this.#complete(
      index,
      parse<Body>(this.#buffer.toString('utf8', bodies + start, bodies + end)),
    );
    this.#events ??= [];
    this.#events[index] = event;
    return event;
  }

  events(): readonly TelemetryEvent[] {
    const bodies = parse<Body[]>(`[${this.#buffer.toString('utf8', this.#at.bodies)}]`);
    if (bodies.length !== this.count) throw new EventError('lengths do not add up');
    return bodies.map((body, index) => this.#complete(index, body));
  }

  deviceOf(index: number): string {
    this.#names ??= this.#readNames();
    const { text, ends } = this.#names;
    return text.slice(index === 0 ? 0 : ends[index - 1], ends[index] ?? 0);
  }

  shapeOf(index: number): string {
    return this.#shapes[this.#columns.shapes[index] ?? -1] ?? '';
  }

  #readNames(): { readonly text: string; readonly ends: Uint32Array } {
    const text = this.#buffer.toString('latin1', this.#at.names, this.#at.bodies);
    const { nameLengths } = this.#columns;
    const ends = new Uint32Array(nameLengths.length);
    let end = 0;
    for (let index = 0; index < ends.length; index++) {
      end += nameLengths[index] ?? 0;
      ends[index] = end;
    }
    return { text, ends };
  }

  #complete(index: number, { siteId, id, metrics, flags, lat, lng }: Body): TelemetryEvent {
    return {
      deviceId: this.deviceIds[index] ?? -1,
      device: this.deviceOf(index),
      siteId,
      ts: this.takenAt[index] ?? 0,
      id,
      receivedAt: this.receivedAt[index] ?? 0,
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
