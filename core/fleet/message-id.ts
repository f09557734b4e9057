/**
 * A message id: 64 bits as two signed 32-bit halves, because this runs for every message and BigInt would double
 * the cost. Never negative when it was made from a sequence number, always negative when it is a hash.
 */
export interface MessageId {
  readonly high: number;
  readonly low: number;
}

const MAX_BOOT = 2 ** 16;
const MAX_SEQUENCE = 2 ** 47;

/** The id of the message a device numbered itself: boot (16 bits) and sequence (47 bits), exact; a hash beyond that. */
export function sequenceId(boot: number, sequence: number): MessageId {
  if (boot >= MAX_BOOT || sequence >= MAX_SEQUENCE) {
    return contentId(`${boot}/${sequence}`, 0, new Uint8Array(0));
  }
  const upper = Math.floor(sequence / 2 ** 32);
  return { high: (boot * 2 ** 15 + upper) | 0, low: sequence | 0 };
}

/** Boot and sequence of a message that its device numbered; undefined when the id is a hash. */
export function numbersOf(id: MessageId): { readonly boot: number; readonly seq: number } | undefined {
  if (id.high < 0) return undefined;
  return { boot: id.high >>> 15, seq: (id.high & 0x7fff) * 2 ** 32 + (id.low >>> 0) };
}

/**
 * The id of a message without a number of its own: a 64-bit hash (two lanes of 32-bit multiply-xor with the
 * MurmurHash3 finaliser) of device, time and bytes. `part` tells the readings of one message apart.
 */
export function contentId(device: string, ts: number, payload: Uint8Array, part = 0): MessageId {
  let one = 0x9e3779b9 ^ part;
  let two = 0x85ebca6b ^ (part * 31);
  const mix = (byte: number) => {
    one = Math.imul(one ^ byte, 0x9e3779b1);
    two = Math.imul(two ^ byte, 0x5f356495);
    one = (one << 13) | (one >>> 19);
    two = (two << 17) | (two >>> 15);
  };
  for (let index = 0; index < device.length; index++) mix(device.charCodeAt(index));
  for (let rest = ts, index = 0; index < 6; index++, rest = Math.floor(rest / 256)) mix(rest % 256);
  for (let index = 0; index < payload.length; index++) mix(payload[index] ?? 0);
  return { high: finish(one ^ two) | 0x80000000 | 0, low: finish(two) };
}

/** By it two readings are told to have had the same content, given as JSON text: never by the order of its keys. */
export function contentDigest(json: string): MessageId {
  const entries = Object.entries(JSON.parse(json) as Readonly<Record<string, unknown>>);
  return contentId('', 0, Buffer.from(JSON.stringify(entries.sort(([a], [b]) => (a < b ? -1 : 1)))));
}

function finish(lane: number): number {
  let bits = lane ^ (lane >>> 16);
  bits = Math.imul(bits, 0x85ebca6b);
  bits ^= bits >>> 13;
  bits = Math.imul(bits, 0xc2b2ae35);
  return (bits ^ (bits >>> 16)) | 0;
}

/** The id as PostgreSQL's bigint and the API show it: signed decimal. */
export function messageIdText({ high, low }: MessageId): string {
  if (high >= 0) return unsignedText(high, low >>> 0);
  const rest = -low >>> 0;
  return `-${unsignedText((~high >>> 0) + (rest === 0 ? 1 : 0), rest)}`;
}

function unsignedText(high: number, low: number): string {
  if (high < 2 ** 21) return String(high * 2 ** 32 + low);
  // 2^32 is 4294 * 10^6 + 967296, and each of these sums exact in a double.
  const rest = high * 967_296 + low;
  const millions = high * 4_294 + Math.floor(rest / 1e6);
  return `${millions}${String(1e6 + (rest % 1e6)).slice(1)}`;
}

/** The id that has this text. */
export function readMessageId(text: string): MessageId {
  const bits = BigInt(text);
  return { high: Number(BigInt.asIntN(32, bits >> 32n)), low: Number(BigInt.asIntN(32, bits)) };
}
