/** What a sender says beside a message, in order; names may repeat. */
export type UserProperty = readonly [name: string, value: string];

/** What a message may carry of them, the bytes counted as they are packed. */
export const MAX_USER_PROPERTIES = 32;
export const MAX_USER_PROPERTY_BYTES = 1_024;

/** Those that travel with a message: the token that makes devices is no one's to keep. */
export function withoutToken(properties: readonly UserProperty[]): UserProperty[] {
  return properties.filter(([name]) => name !== 'provision_token');
}

/**
 * User properties as a frame carries them: name and value of each, UTF-8 behind its length (2, big-endian), as MQTT 5
 * writes them. A name or a value has at most 65 535 bytes.
 */
export function packUserProperties(properties: readonly UserProperty[]): Buffer {
  const texts = properties.flat().map((text) => Buffer.from(text));
  const packed = Buffer.allocUnsafe(texts.reduce((sum, text) => sum + 2 + text.length, 0));
  let at = 0;
  for (const text of texts) {
    at = packed.writeUInt16BE(text.length, at);
    at += text.copy(packed, at);
  }
  return packed;
}

/** The reverse of `packUserProperties`; undefined when the bytes are no such list. */
export function readUserProperties(packed: Uint8Array): UserProperty[] | undefined {
  const bytes = Buffer.from(packed.buffer, packed.byteOffset, packed.length);
  const texts: string[] = [];
  for (let at = 0; at < bytes.length; ) {
    const end = at + 2 + (at + 2 <= bytes.length ? bytes.readUInt16BE(at) : bytes.length);
    if (end > bytes.length) return undefined;
    texts.push(bytes.toString('utf8', at + 2, end));
    at = end;
  }
  if (texts.length % 2 !== 0) return undefined;
  return texts.flatMap((name, index) => (index % 2 === 0 ? [[name, texts[index + 1] ?? ''] as const] : []));
}
