import type { DeviceId, TenantId } from './ids.ts';

/** One live password of a device. */
export interface LiveCredential {
  readonly id: number;
  readonly secretHash: Uint8Array;
  readonly expiresAt: Date | undefined;
}

/** A device as far as letting it in is concerned. */
export interface DeviceAccess {
  readonly tenantId: TenantId;
  readonly deviceId: DeviceId;
  /** False when the device or its tenant is not ACTIVE. */
  readonly active: boolean;
  /** Neither revoked nor expired. Several while a rotation overlaps. */
  readonly credentials: readonly LiveCredential[];
}

export interface DeviceName {
  readonly tenant: string;
  readonly device: string;
}
