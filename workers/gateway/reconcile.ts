import type { Credentials } from '#core/auth/credential-cache.ts';
import type { HeldSession, SessionClaim } from '#core/db/sessions.ts';
import type { DeviceId } from '#core/fleet/ids.ts';
import type { Admission } from './admission.ts';
import type { Claims } from './claims.ts';
import type { Held, Sessions } from './sessions.ts';

export interface ReconcileOptions {
  readonly sessions: Sessions;
  readonly credentials: Credentials;
  readonly claims: Claims;
  find(deviceIds: readonly DeviceId[]): Promise<readonly HeldSession[]>;
  /** What the table says that this gateway holds, the newest left out. */
  listOwn(): Promise<readonly HeldSession[]>;
  /** Says anew that a device is connected: somebody took it for lost. */
  onRestored(held: Held): void;
}

const PAGE = 500;

/**
 * Brings what is held here and what the database says together, in case a control message was lost or the database
 * was away: closes the sessions of revoked credentials and those overtaken elsewhere, puts back what the table has
 * lost, and forgets what it has kept.
 */
export async function reconcile(options: ReconcileOptions): Promise<void> {
  const { sessions, credentials, claims } = options;
  const all = [...sessions.all()];
  for (let at = 0; at < all.length; at += PAGE) {
    const page = all.slice(at, at + PAGE);
    await Promise.all(page.map((held) => closeIfRevoked(held, credentials)));
    const found = new Map(
      (await options.find(page.map((held) => held.admission.deviceId))).map((row) => [
        row.deviceId,
        row.epoch,
      ]),
    );
    for (const held of page) {
      const { admission } = held;
      if (sessions.get(admission.tenant, admission.device) !== held) continue;
      const epoch = found.get(admission.deviceId);
      if (epoch !== undefined && epoch > admission.epoch) held.close('taken_over');
      else if (epoch === undefined) {
        claims.restore(claimOf(held));
        options.onRestored(held);
      }
    }
  }
  const own = new Map([...sessions.all()].map((held) => [held.admission.deviceId, held.admission.epoch]));
  for (const session of await options.listOwn()) {
    if (own.get(session.deviceId) !== session.epoch) claims.end(session);
  }
}

/** Closes those of many sessions whose credentials no longer count, a page at a time. Rejects when that cannot be told. */
export async function closeRevoked(all: readonly Held[], credentials: Credentials): Promise<void> {
  for (let at = 0; at < all.length; at += PAGE) {
    await Promise.all(all.slice(at, at + PAGE).map((held) => closeIfRevoked(held, credentials)));
  }
}

/** Closes a session whose credential no longer counts. Rejects when that cannot be told. */
export async function closeIfRevoked(held: Held, credentials: Credentials): Promise<void> {
  const { tenant, device, credentialId } = held.admission;
  if (!(await credentials.stillLive(tenant, device, credentialId))) held.close('credential_revoked');
}

/**
 * Asks again about a device whose session has begun, when its credential was said to have changed while it was being let
 * in: there was no session then to end. Rejects when that cannot be told.
 */
export async function confirmAdmission(
  { tenant, device, credentialId }: Admission,
  sessions: Sessions,
  credentials: Credentials,
): Promise<void> {
  const held = sessions.get(tenant, device);
  if (held && !credentials.remembers(tenant, device, credentialId)) await closeIfRevoked(held, credentials);
}

const claimOf = ({ admission }: Held): SessionClaim => {
  const { tenantId, deviceId, clientId, connectedAt, epoch } = admission;
  return { tenantId, deviceId, clientId, connectedAt, epoch };
};
