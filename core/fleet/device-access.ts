import type { DeviceId, TenantId } from './ids.ts';

/** One credential of a device. */
export interface LiveCredential {
  readonly id: number;
  readonly kind: 'TOKEN' | 'CERTIFICATE';
  /** Of a certificate the SHA-256 fingerprint. */
  readonly secretHash: Uint8Array;
  readonly expiresAt: Date | undefined;
  /** Only certificates are told of that were revoked: their refusal has a name of its own. */
  readonly revoked: boolean;
}

/** A device as far as letting it in is concerned. */
export interface DeviceAccess {
  readonly tenantId: TenantId;
  readonly deviceId: DeviceId;
  /** False when the device or its tenant is not ACTIVE. */
  readonly active: boolean;
  /** Not expired. Several while a rotation overlaps. */
  readonly credentials: readonly LiveCredential[];
}

export interface DeviceName {
  readonly tenant: string;
  readonly device: string;
}
