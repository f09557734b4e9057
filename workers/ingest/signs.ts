import type { FrameItem } from '#core/bus/messages.ts';
import { foreignDevice } from '#core/fleet/dialects/meter2.ts';
import type { Problem } from '#core/fleet/telemetry.ts';
import { readTimestamp } from '#core/fleet/timestamps.ts';
import type { KnownDevice, Sign } from './decoded.ts';

/** What our own gateway says of a session: a malformed one is a fault of ours, and still proof that the session was there. */
export function sessionSign(item: FrameItem, identity: KnownDevice): Sign {
  const said = readJson(item.payload);
  const at = readTimestamp(said['at']) ?? item.receivedAt;
  return {
    identity,
    at,
    what: {
      kind: 'session',
      connection: item.kind === 'connected' ? 'ONLINE' : 'OFFLINE',
      ...(typeof said['epoch'] === 'string' && { epoch: said['epoch'] }),
      reason: typeof said['reason'] === 'string' ? said['reason'] : item.kind,
    },
  };
}

/** A sign that says no more than that it came. */
export const alive = (item: FrameItem, identity: KnownDevice): Sign => {
  return { identity, at: item.receivedAt, what: { kind: 'heartbeat' } };
};

/** What a heartbeat or a status says, or what is wrong with it. */
export function readSign(item: FrameItem, identity: KnownDevice): Sign | { readonly problem: Problem } {
  const heartbeat = alive(item, identity);
  if (item.kind === 'heartbeat' && item.dialect === 'canonical') return heartbeat;
  const said = readJson(item.payload);
  const foreign = item.dialect === 'meter2' ? foreignDevice(said, item.device, false) : undefined;
  if (foreign) return foreign;
  if (item.kind === 'heartbeat') return heartbeat;
  if (said['status'] !== 'online' && said['status'] !== 'offline') {
    return { problem: { reason: 'BAD_SHAPE', detail: 'status is "online" or "offline"' } };
  }
  return {
    identity,
    at: item.receivedAt,
    what: {
      kind: 'session',
      connection: said['status'] === 'online' ? 'ONLINE' : 'OFFLINE',
      reason: 'status',
    },
  };
}

/** The object that a payload holds; an empty one where it holds none. */
export function readJson(payload: Uint8Array): Record<string, unknown> {
  try {
    const parsed: unknown = JSON.parse(
      Buffer.from(payload.buffer, payload.byteOffset, payload.length).toString('utf8'),
    );
    return typeof parsed === 'object' && parsed !== null ? (parsed as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}
