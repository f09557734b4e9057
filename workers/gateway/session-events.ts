import type { Admission } from './handshake.ts';
import type { Intake } from './intake.ts';
import type { CloseReason } from './metrics.ts';

/** Says that a device is connected, under its epoch. `at` in ms since the epoch. */
export function announceConnected(intake: Intake, gatewayId: string, admission: Admission, at: number): void {
  announce(intake, 'connected', admission, { at, gateway: gatewayId, reason: 'connect' });
}

/**
 * Says that a device is gone. Its will comes first, unless it said goodbye itself or is connected anew: a will of the
 * old connection would contradict the new one.
 */
export function announceGone(
  intake: Intake,
  gatewayId: string,
  admission: Admission,
  reason: CloseReason,
): void {
  const { tenant, device, will } = admission;
  if (will && reason !== 'client_disconnect' && reason !== 'taken_over') {
    intake.announce(tenant, device, will, will.payload);
  }
  announce(intake, 'disconnected', admission, { at: Date.now(), gateway: gatewayId, reason });
}

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
