import { LONGEST_ID, writeMessageId } from '../fleet/digits.ts';
import { CLOSE, COMMA } from '../fleet/json-bytes.ts';
import { JsonText } from '../fleet/json-text.ts';
import type { MessageId } from '../fleet/message-id.ts';
import type { SignBatch } from './events.ts';
import { columnBytes, columnsIn, type TelemetryColumns } from './telemetry-columns.ts';

/** Of the layout that `telemetry-batch.ts` describes. */
export const TELEMETRY_VERSION = 3;

/** A reading to be told about. Times are milliseconds since the epoch. */
export interface TelemetryToTell {
  readonly identity: { readonly deviceId: number; readonly device: string; readonly siteId: number | null };
  readonly ts: number;
  readonly id: MessageId;
  readonly receivedAt: number;
  readonly metrics: JsonText;
  /** The names of its metrics, joined by commas. */
  readonly shape: string;
  /** Its flags as JSON text. */
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

/** At least one reading; a tenant comes once. `signs` are what else was heard at the same time. */
export function encodeTelemetry(
  tenants: readonly TenantTelemetry[],
  signs: readonly SignBatch[] = [],
): Buffer {
  const count = tenants.reduce((sum, { events }) => sum + events.length, 0);
  const block = new ArrayBuffer(columnBytes(count));
  const columns = columnsIn(block, count);
  const shapes = new Map<string, number>();
  const bodies = new Bodies();
  let names = '';
  let index = 0;
  for (const { events } of tenants) {
    for (const event of events) {
      fill(columns, index, event, shapes);
      if (index > 0) bodies.separate();
      bodies.add(event);
      columns.ends[index++] = bodies.length;
      names += event.identity.device;
    }
  }
  const parts = tenants.map(({ tenant, tenantId, events }) => ({ tenant, tenantId, count: events.length }));
  const head = `${JSON.stringify({
    ...{ v: TELEMETRY_VERSION, kind: 'telemetry', parts, shapes: [...shapes.keys()] },
    ...(signs.length > 0 && { signs }),
  })}\n`;
  const headBytes = Buffer.byteLength(head);
  const bodiesAt = headBytes + block.byteLength + names.length;
  const buffer = Buffer.allocUnsafe(bodiesAt + bodies.length);
  buffer.write(head);
  buffer.set(new Uint8Array(block), headBytes);
  buffer.write(names, headBytes + block.byteLength, 'latin1');
  bodies.copyTo(buffer, bodiesAt);
  return buffer;
}

function fill(
  columns: TelemetryColumns,
  index: number,
  { identity, ts, receivedAt, shape }: TelemetryToTell,
  shapes: Map<string, number>,
): void {
  const known = shapes.get(shape);
  if (known === undefined) shapes.set(shape, shapes.size);
  columns.shapes[index] = known ?? shapes.size - 1;
  columns.takenAt[index] = ts;
  columns.receivedAt[index] = receivedAt;
  columns.deviceIds[index] = identity.deviceId;
  columns.nameLengths[index] = identity.device.length;
}

/** Where bodies are put together, one message after the other: nobody waits meanwhile. */
let scratch: Buffer = Buffer.allocUnsafeSlow(64 * 1024);
/** A longer one is not kept. */
const MAX_SCRATCH_BYTES = 1024 * 1024;

const BEFORE_METRICS = JsonText.of('","metrics":');

/** The bodies of a message. At most one is in use at a time. */
class Bodies {
  #buffer = scratch;
  #length = 0;
  /** What stands before the id in the body of a device there. */
  #siteId: number | null = null;
  #opening = JsonText.of('{"siteId":null,"id":"');

  get length(): number {
    return this.#length;
  }

  separate(): void {
    this.#byte(COMMA);
  }

  add({ identity, id, metrics, flagsJson, lat, lng }: TelemetryToTell): void {
    if (identity.siteId !== this.#siteId) this.#openFor(identity.siteId);
    this.#copy(this.#opening);
    this.#room(LONGEST_ID);
    this.#length = writeMessageId(this.#buffer, this.#length, id);
    this.#copy(BEFORE_METRICS);
    this.#copy(metrics);
    if (flagsJson !== undefined) this.#text(`,"flags":${flagsJson}`);
    if (lat !== undefined) this.#ascii(`,"lat":${lat}`);
    if (lng !== undefined) this.#ascii(`,"lng":${lng}`);
    this.#byte(CLOSE);
  }

  copyTo(target: Buffer, at: number): void {
    this.#buffer.copy(target, at, 0, this.#length);
    if (this.#buffer.length <= MAX_SCRATCH_BYTES) scratch = this.#buffer;
  }

  #copy({ bytes, from, to }: JsonText): void {
    this.#room(to - from);
    const buffer = this.#buffer;
    let at = this.#length;
    for (let index = from; index < to; index++) buffer[at++] = bytes[index] ?? 0;
    this.#length = at;
  }

  #openFor(siteId: number | null): void {
    this.#siteId = siteId;
    this.#opening = JsonText.of(`{"siteId":${siteId},"id":"`);
  }

  #byte(byte: number): void {
    this.#room(1);
    this.#buffer[this.#length++] = byte;
  }

  #ascii(text: string): void {
    this.#room(text.length);
    this.#length += this.#buffer.write(text, this.#length, 'latin1');
  }

  #text(text: string): void {
    this.#room(text.length * 3);
    this.#length += this.#buffer.write(text, this.#length, 'utf8');
  }

  #room(bytes: number): void {
    if (this.#length + bytes <= this.#buffer.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(this.#buffer.length * 2, this.#length + bytes));
    this.#buffer.copy(larger, 0, 0, this.#length);
    this.#buffer = larger;
  }
}
