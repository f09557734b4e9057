import { createSecretKey, type KeyObject } from 'node:crypto';
import type { DeviceAccess, DeviceName, LiveCredential } from '../fleet/device-access.ts';
import type { DeviceId, TenantId } from '../fleet/ids.ts';
import { Recent } from '../fleet/recent.ts';
import { createBatch } from '../runtime/batch.ts';
import { checkRecord } from './certificate-check.ts';
import { matchDeviceSecret } from './device-credentials.ts';

/** Who may come in, and by which credential. */
export interface Grant {
  readonly tenantId: TenantId;
  readonly deviceId: DeviceId;
  readonly credentialId: number;
  readonly expiresAt: Date | undefined;
}

/** Why somebody may not. `UNAVAILABLE`: it cannot be told, because the database does not answer. */
export type Denial = 'BAD_CREDENTIALS' | 'NOT_ACTIVE' | 'UNAVAILABLE';

/** Why one very certificate does not count; the rest is decided by what stands in it. */
export type RecordRefusal = ReturnType<typeof checkRecord> & string;

export interface CredentialsOptions {
  readonly key: Buffer;
  readonly ttlMs: number;
  /** Devices that are remembered, and as many names that nobody has. */
  readonly maxEntries: number;
  /** One answer a name, in the same order. */
  find(names: readonly DeviceName[]): Promise<readonly (DeviceAccess | undefined)[]>;
  readonly onLookup?: (outcome: 'hit' | 'miss' | 'failed') => void;
}

export type Haste = 'NOW' | 'LATE';

export interface Credentials {
  /**
   * Asks the cache, then the database. Never rejects.
   * @param haste `LATE` for somebody who is likely to be wrong: the database is asked about many such at once, some 50 ms later
   */
  check(tenant: string, device: string, secret: string, haste?: Haste): Promise<Grant | Denial>;
  /** The same for a certificate, by the SHA-256 of it; that it is held by who presents it is known already. */
  checkCertificate(
    tenant: string,
    device: string,
    fingerprint: Buffer,
  ): Promise<Grant | Denial | RecordRefusal>;
  /** Whether a device that was let in somewhere else still may be: it is active and has a credential that is good. Never rejects. */
  standing(tenant: string, device: string): Promise<'GOOD' | Denial>;
  /**
   * Whether a session that began with a credential may go on; asks the database and renews the cache.
   * @throws whatever the database throws
   */
  stillLive(tenant: string, device: string, credentialId: number): Promise<boolean>;
  /**
   * Whether a credential is remembered as good, without asking. False where nothing is remembered: of what was forgotten
   * since somebody was let in it has to be asked again.
   */
  remembers(tenant: string, device: string, credentialId: number): boolean;
  forget(tenant: string, device: string): void;
  /** Forgets every device of a tenant. */
  forgetTenant(tenant: string): void;
  forgetAll(): void;
}

interface Entry {
  readonly access: DeviceAccess | undefined;
  readonly loadedAt: number;
}

/**
 * An entry that refuses is believed no longer than this: the device may have been created just now. Of its creation and of
 * its new tokens we are told; where many fail, that has to do for a little longer.
 */
const REFUSAL_TTL_MS = { NOW: 1_000, LATE: 5_000 } as const;
const LATE_MS = 50;

/** Remembers who may connect, so that a reconnecting fleet does not ask the database device by device. */
export function createCredentials(options: CredentialsOptions): Credentials {
  const key = createSecretKey(options.key);
  const known = new Recent<string, Entry>(options.maxEntries);
  // Names that nobody has are kept apart: however many are made up, they push out no device.
  const unknown = new Recent<string, Entry>(options.maxEntries);
  const asking = { NOW: new Map<string, Promise<Entry>>(), LATE: new Map<string, Promise<Entry>>() };
  const all = [known, unknown, asking.NOW, asking.LATE];
  const createLoad = (waitMs: number) =>
    createBatch<DeviceName, DeviceAccess | undefined>({
      ...{ name: 'the database, asked for credentials,', maxItems: 500, waitMs },
      ...{ maxWaiting: 20_000, timeoutMs: 3_000, run: options.find },
    });
  const load = { NOW: createLoad(1), LATE: createLoad(LATE_MS) };

  const lookUp = async (name: DeviceName, haste: Haste): Promise<Entry> => {
    try {
      const entry = { access: await load[haste](name), loadedAt: Date.now() };
      options.onLookup?.('miss');
      return entry;
    } catch (error) {
      options.onLookup?.('failed');
      throw error;
    }
  };

  /** Whoever asks for a name that is being asked for waits for the same answer. One that is forgotten meanwhile is not kept. */
  const refresh = (name: DeviceName, haste: Haste): Promise<Entry> => {
    const key = keyOf(name.tenant, name.device);
    // Whoever may not wait does not join those who may.
    const running = asking.NOW.get(key) ?? (haste === 'LATE' ? asking.LATE.get(key) : undefined);
    if (running) return running;
    const started = lookUp(name, haste).then(
      (entry) => {
        if (asking[haste].get(key) !== started) return entry;
        asking[haste].delete(key);
        known.delete(key);
        unknown.delete(key);
        (entry.access ? known : unknown).set(key, entry);
        return entry;
      },
      (error: unknown) => {
        if (asking[haste].get(key) === started) asking[haste].delete(key);
        throw error;
      },
    );
    asking[haste].set(key, started);
    return started;
  };

  const ask = async <Answer extends string>(
    tenant: string,
    device: string,
    judge: (access: DeviceAccess | undefined) => Grant | Answer,
    haste: Haste = 'NOW',
  ): Promise<Grant | Answer | 'UNAVAILABLE'> => {
    const key = keyOf(tenant, device);
    const cached = known.get(key) ?? unknown.get(key);
    if (cached && Date.now() - cached.loadedAt < options.ttlMs) {
      const answer = judge(cached.access);
      if (typeof answer !== 'string' || Date.now() - cached.loadedAt < REFUSAL_TTL_MS[haste]) {
        options.onLookup?.('hit');
        return answer;
      }
    }
    try {
      return judge((await refresh({ tenant, device }, haste)).access);
    } catch {
      return 'UNAVAILABLE';
    }
  };

  return {
    check: (tenant, device, secret, haste) =>
      ask(tenant, device, (access) => judgeSecret(key, access, secret), haste),
    checkCertificate: (tenant, device, fingerprint) =>
      ask(tenant, device, (access) => judgeCertificate(access, fingerprint)),
    async standing(tenant, device) {
      const answer = await ask(tenant, device, judgeStanding);
      return typeof answer === 'string' ? answer : 'GOOD';
    },
    async stillLive(tenant, device, credentialId) {
      asking.NOW.delete(keyOf(tenant, device));
      return isLive((await refresh({ tenant, device }, 'NOW')).access, credentialId);
    },
    remembers: (tenant, device, credentialId) =>
      isLive(known.get(keyOf(tenant, device))?.access, credentialId),
    forget(tenant, device) {
      const key = keyOf(tenant, device);
      for (const kept of all) kept.delete(key);
    },
    forgetTenant(tenant) {
      for (const kept of all)
        for (const key of kept.keys()) if (key.startsWith(`${tenant}/`)) kept.delete(key);
    },
    forgetAll() {
      for (const kept of all) kept.clear();
    },
  };
}

const keyOf = (tenant: string, device: string): string => `${tenant}/${device}`;

const isLive = (access: DeviceAccess | undefined, credentialId: number): boolean =>
  access?.active === true && access.credentials.some(({ id, revoked }) => id === credentialId && !revoked);

function judgeSecret(key: KeyObject, access: DeviceAccess | undefined, secret: string): Grant | Denial {
  const tokens = access?.credentials.filter(({ kind, revoked }) => kind === 'TOKEN' && !revoked) ?? [];
  const hashes = tokens.map((credential) => credential.secretHash);
  const matched = tokens[matchDeviceSecret(key, secret, hashes)];
  if (!access || !matched || hasExpired(matched)) return 'BAD_CREDENTIALS';
  return grantOf(access, matched);
}

function judgeCertificate(
  access: DeviceAccess | undefined,
  fingerprint: Buffer,
): Grant | Denial | RecordRefusal {
  const known = access?.credentials.find(
    ({ kind, secretHash }) => kind === 'CERTIFICATE' && fingerprint.equals(secretHash),
  );
  // What a certificate says of its own end was looked at before: this is one that was retired earlier.
  const refusal = checkRecord(known && hasExpired(known) ? { revoked: true } : known);
  if (!access || !known || refusal) return refusal ?? 'UNKNOWN_CERTIFICATE';
  return grantOf(access, known);
}

function judgeStanding(access: DeviceAccess | undefined): Grant | Denial {
  const good = access?.credentials.find((credential) => !credential.revoked && !hasExpired(credential));
  return access && good ? grantOf(access, good) : 'BAD_CREDENTIALS';
}

function grantOf(access: DeviceAccess, credential: LiveCredential): Grant | Denial {
  if (!access.active) return 'NOT_ACTIVE';
  const { tenantId, deviceId } = access;
  return { tenantId, deviceId, credentialId: credential.id, expiresAt: credential.expiresAt };
}

const hasExpired = (credential: LiveCredential): boolean =>
  credential.expiresAt !== undefined && credential.expiresAt.getTime() <= Date.now();
