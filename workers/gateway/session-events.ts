import type { Admission, Will } from './admission.ts';
import type { CloseReason } from './close-reason.ts';
import type { Intake } from './intake.ts';

/** Says that a device is connected, under its epoch. `at` in ms since the epoch. */
export function announceConnected(intake: Intake, gatewayId: string, admission: Admission, at: number): void {
  announce(intake, 'connected', admission, { at, gateway: gatewayId, reason: 'connect' });
}

/** Says that a device is gone. */
export function announceGone(
  intake: Intake,
  gatewayId: string,
  admission: Admission,
  reason: CloseReason,
): void {
  announce(intake, 'disconnected', admission, { at: Date.now(), gateway: gatewayId, reason });
}

/** Says that a device has a command. */
export function announceReceived(
  intake: Intake,
  { tenant, device }: Pick<Admission, 'tenant' | 'device'>,
  commandId: string,
): void {
  const payload = Buffer.from(JSON.stringify({ command_id: commandId }));
  intake.announce(tenant, device, { kind: 'command_sent', dialect: 'canonical' }, payload);
}

/** Says for a device what it wanted said. */
export function announceWill(intake: Intake, { tenant, device }: Admission, will: Will): void {
  intake.announce(tenant, device, will, will.payload, will.userProperties);
}

/**
 * Whether the end of a connection is one that its will is for: not when the device said goodbye itself, and not when it is
 * connected anew, because a will of the old connection would contradict the new one.
 */
export const callsForWill = (reason: CloseReason): boolean =>
  reason !== 'client_disconnect' && reason !== 'taken_over';

function announce(
  intake: Intake,
  kind: 'connected' | 'disconnected',
  { tenant, device, epoch, clientId }: Admission,
  said: { readonly at: number; readonly gateway: string; readonly reason: string },
): void {
  const { at, gateway, reason } = said;
  const payload = { epoch: epoch.toString(), at, client_id: clientId, gateway, reason };
  intake.announce(tenant, device, { kind, dialect: 'canonical' }, Buffer.from(JSON.stringify(payload)));
}
