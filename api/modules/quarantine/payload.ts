/** The original bytes, whatever they are. */
export interface PayloadBytes {
  readonly bytes: Buffer;
}

/** The bytes as text; null when they are not UTF-8. */
export function payloadText({ bytes }: PayloadBytes): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return null;
  }
}
