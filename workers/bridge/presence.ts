import type { FrameItem } from '#core/bus/messages.ts';
import { readUsername } from '#core/mqtt/topics.ts';

/** What EMQX says about the clients of all its nodes; see "System Topics" in its manual. */
export const EMQX_PRESENCE_FILTER = '$SYS/brokers/+/clients/+/+';

/** The client is still there, under a newer connection. */
const REPLACED = new Set(['takenover', 'takeovered', 'discarded']);

/**
 * A connect or disconnect that EMQX tells of, as the `status` message the device would have sent. Every replica hears it,
 * which does no harm: the same state twice is no change. Undefined for anything else, such as a client that is no device.
 */
export function readEmqxPresence(topic: string, payload: Buffer, now: number): FrameItem | undefined {
  const [root, brokers, , clients, , what, ...beyond] = topic.split('/');
  if (root !== '$SYS' || brokers !== 'brokers' || clients !== 'clients' || beyond.length > 0)
    return undefined;
  if (what !== 'connected' && what !== 'disconnected') return undefined;
  const said = readObject(payload);
  const name = typeof said['username'] === 'string' ? readUsername(said['username']) : undefined;
  if (!name || (what === 'disconnected' && REPLACED.has(String(said['reason'])))) return undefined;
  const at = typeof said['ts'] === 'number' && Number.isFinite(said['ts']) ? Math.min(said['ts'], now) : now;
  return {
    ...name,
    kind: 'status',
    dialect: 'canonical',
    source: 'bridge',
    dup: false,
    receivedAt: at,
    payload: Buffer.from(JSON.stringify({ status: what === 'connected' ? 'online' : 'offline' })),
  };
}

function readObject(payload: Buffer): Record<string, unknown> {
  try {
    const parsed: unknown = JSON.parse(payload.toString('utf8'));
    return typeof parsed === 'object' && parsed !== null ? (parsed as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}
