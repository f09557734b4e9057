import { type ControlMessage, encodeEvents } from './events.ts';
import { type ControlKind, controlSubject, eventsSubject } from './subjects.ts';

/** What gateways take for "newer than any session you hold". */
export const EVERY_SESSION = Number.MAX_SAFE_INTEGER;
/** As many events as one message carries. */
const EVENTS_PER_MESSAGE = 500;

/** A device as it is after a change. */
export interface ChangedDevice {
  readonly id: number;
  readonly key: string;
  readonly siteId: number | null;
  readonly version: number;
  readonly updatedAt: Date;
}

/** What a change of devices means for who is let in: ASK, gateways ask again; END, they let go of the sessions they hold, too. */
export type AccessChange = 'ASK' | 'END';

/** A message for the outbox; its tenant and shard are those of the transaction that writes it. */
export interface Outgoing {
  readonly subject: string;
  readonly payload: Buffer;
}

interface Sender {
  readonly tenantId: number;
  readonly tenantSlug: string;
  readonly shard: number;
}

/** What followers and caches are told of changed devices, in the order of the devices. On control subjects a device goes by its key. */
export function deviceChangeMessages(
  { tenantId, tenantSlug: tenant, shard }: Sender,
  devices: readonly ChangedDevice[],
  change: 'CREATED' | 'UPDATED' | 'DECOMMISSIONED',
  access?: AccessChange,
): Outgoing[] {
  const control = (kind: ControlKind, id: string, version: number): Outgoing => {
    const message: ControlMessage = { tenant, tenantId, id, version };
    return { subject: controlSubject(kind), payload: Buffer.from(JSON.stringify(message)) };
  };
  const found: Outgoing[] = [];
  for (let at = 0; at < devices.length; at += EVENTS_PER_MESSAGE) {
    const events = devices.slice(at, at + EVENTS_PER_MESSAGE).map(({ id, key, siteId, updatedAt }) => ({
      ...{ deviceId: id, device: key, siteId, at: updatedAt.getTime(), change },
    }));
    const message = { v: 1, tenant, tenantId, kind: 'device', events } as const;
    found.push({ subject: eventsSubject(shard, 'device'), payload: encodeEvents(message) });
  }
  for (const { key, version } of devices) {
    found.push(control('device', key, version));
    if (access) found.push(control('credential', key, version));
    if (access === 'END') found.push(control('session', key, EVERY_SESSION));
  }
  return found;
}

/** The same of devices whose fields, groups or status were changed. */
export const deviceUpdateMessages = (
  sender: Sender,
  devices: readonly ChangedDevice[],
  access: AccessChange | undefined,
): Outgoing[] => deviceChangeMessages(sender, devices, 'UPDATED', access);
