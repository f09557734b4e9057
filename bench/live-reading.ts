/** What is measured of a reading that came to a subscriber. */
export interface Reading {
  /** When its device took it, in ms since the epoch. */
  readonly at: number;
  readonly messageId: string;
  readonly device: string;
}

const BEGIN =
  '{"id":"1","type":"next","payload":{"data":{"telemetry":{"__typename":"TelemetryReading","at":"';
const AFTER_AT = '","messageId":"';
const DEVICE = '},"device":{"key":"';
const END = '"}}}}}';
const AT_LENGTH = '2026-01-31T12:00:00.000Z'.length;
const DATE_LENGTH = '2026-01-31'.length;

/**
 * Reads an answer to the subscription of the bench without building what is in it. Undefined for anything that is not exactly
 * such an answer, with a reading and without errors.
 */
export function readingOf(text: string): Reading | undefined {
  if (!text.startsWith(BEGIN) || !text.endsWith(END)) return undefined;
  const afterAt = BEGIN.length + AT_LENGTH;
  if (!text.startsWith(AFTER_AT, afterAt)) return undefined;
  const idAt = afterAt + AFTER_AT.length;
  const idEnd = text.indexOf('"', idAt);
  const deviceAt = text.lastIndexOf(DEVICE) + DEVICE.length;
  if (deviceAt < DEVICE.length) return undefined;
  return {
    at: instantOf(text.slice(BEGIN.length, afterAt)),
    messageId: text.slice(idAt, idEnd),
    device: text.slice(deviceAt, text.length - END.length),
  };
}

let day = '';
let midnight = 0;

/** Of ISO-8601 in UTC with milliseconds: the date is looked at once a day. */
function instantOf(text: string): number {
  const date = text.slice(0, DATE_LENGTH);
  if (date !== day) {
    day = date;
    midnight = Date.parse(`${date}T00:00:00Z`);
  }
  const number = (at: number) => text.charCodeAt(at) * 10 + text.charCodeAt(at + 1) - 528;
  const seconds = (number(11) * 60 + number(14)) * 60 + number(17);
  return midnight + seconds * 1_000 + number(20) * 10 + text.charCodeAt(22) - 48;
}
