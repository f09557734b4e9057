/** A message for a device, as it lies on DOWNLINK: JSON, the payload in base64. */
export interface DownlinkEnvelope {
  readonly tenant: string;
  readonly device: string;
  /** The end of its topic. */
  readonly leaf: string;
  readonly qos: 0 | 1;
  readonly retain: boolean;
  readonly payload: Buffer;
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
  const { tenant, device, leaf, qos, retain, payload } = parsed as Record<string, unknown>;
  if (typeof tenant !== 'string' || typeof device !== 'string' || typeof payload !== 'string')
    return undefined;
  if (typeof leaf !== 'string' || (qos !== 0 && qos !== 1)) return undefined;
  return { tenant, device, leaf, qos, retain: retain === true, payload: Buffer.from(payload, 'base64') };
}
