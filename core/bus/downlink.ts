import type { UserProperty } from './user-properties.ts';

/** A message for a device, as it lies on DOWNLINK: JSON, the payload in base64. */
export interface DownlinkEnvelope {
  readonly tenant: string;
  readonly device: string;
  /** The end of its topic. */
  readonly leaf: string;
  readonly qos: 0 | 1;
  readonly retain: boolean;
  readonly payload: Buffer;
  /**
   * Of what it states: such a message makes the earlier ones of its leaf obsolete, and the newest is read from the tables
   * when its device is back.
   */
  readonly version?: number | undefined;
  /**
   * What the tables know it by. Such a message is read from there when its device is back, and a connection gets one id once.
   * With neither, this stream is all there is of it.
   */
  readonly id?: string | undefined;
  /** In ms since the epoch: not to be delivered afterwards. Absent: as long as it is kept. */
  readonly expiresAt?: number | undefined;
  /** For devices that speak MQTT 5; others get the message without. */
  readonly contentType?: string | undefined;
  readonly userProperties?: readonly UserProperty[] | undefined;
}

/** The bytes that `readAddressed` reads. */
export function encodeAddressed({ payload, ...rest }: DownlinkEnvelope): Buffer {
  return Buffer.from(JSON.stringify({ ...rest, payload: payload.toString('base64') }));
}

/** Undefined for anything that is no downlink message. */
export function readAddressed(bytes: Uint8Array): DownlinkEnvelope | undefined {
  let parsed: unknown;
  try {
    parsed = JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return undefined;
  }
  if (typeof parsed !== 'object' || parsed === null) return undefined;
  const { tenant, device, leaf, qos, retain, payload, ...rest } = parsed as Record<string, unknown>;
  if (typeof tenant !== 'string' || typeof device !== 'string' || typeof payload !== 'string')
    return undefined;
  if (typeof leaf !== 'string' || (qos !== 0 && qos !== 1)) return undefined;
  const { version, id, expiresAt, contentType, userProperties } = rest;
  return {
    ...{ tenant, device, leaf, qos, retain: retain === true, payload: Buffer.from(payload, 'base64') },
    ...(typeof version === 'number' && { version }),
    ...(typeof id === 'string' && { id }),
    ...(typeof expiresAt === 'number' && { expiresAt }),
    ...(typeof contentType === 'string' && { contentType }),
    ...(Array.isArray(userProperties) && { userProperties: userProperties.filter(isPair) }),
  };
}

const isPair = (value: unknown): value is UserProperty =>
  Array.isArray(value) && value.length === 2 && value.every((text) => typeof text === 'string');
