import { isObject } from './telemetry.ts';

/** A command as its device is told. */
export interface CommandToTell {
  readonly commandId: string;
  readonly type: string;
  readonly params: unknown;
  /** In ms since the epoch. */
  readonly expiresAt: number;
}

/** The message to the device, `{"command_id","type","params","expires_at"}`. */
export function commandPayload({ commandId, type, params, expiresAt }: CommandToTell): Buffer {
  const message = { command_id: commandId, type, params, expires_at: new Date(expiresAt).toISOString() };
  return Buffer.from(JSON.stringify(message));
}

/**
 * The same for a meter of version 2, in the envelope of its dialect:
 * `{"v":2,"device_id","ts","msg_type":"command","command_id","type","params","expires_at"}`.
 * @param payload as `commandPayload` makes it; anything else is left as it is
 * @param at the `ts`, in ms since the epoch
 */
export function meterCommandPayload(payload: Buffer, device: string, at: number): Buffer {
  const command = readObject(payload);
  if (!command) return payload;
  const envelope = { v: 2, device_id: device, ts: new Date(at).toISOString(), msg_type: 'command' };
  return Buffer.from(JSON.stringify({ ...envelope, ...command }));
}

function readObject(payload: Buffer): Record<string, unknown> | undefined {
  try {
    const parsed: unknown = JSON.parse(payload.toString('utf8'));
    return isObject(parsed) ? parsed : undefined;
  } catch {
    return undefined;
  }
}
