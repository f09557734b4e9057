import type { Connectivity, CredentialState, DeviceStatus, Freshness } from '../../generated/graphql.ts';
import type { Shape, Tone } from '../../ui/status.tsx';

/** How a state is shown: always by shape and text, colour only on top. */
export type Look = {
  readonly label: string;
  readonly shape: Shape;
  readonly tone: Tone;
  readonly meaning: string;
};

export const connectivity: Record<Connectivity, Look> = {
  ONLINE: { label: 'Online', shape: 'disc', tone: 'good', meaning: 'Connected now' },
  OFFLINE: { label: 'Offline', shape: 'ring', tone: 'idle', meaning: 'Not connected' },
  UNKNOWN: {
    label: 'Unknown',
    shape: 'dash',
    tone: 'idle',
    meaning: 'Nobody can tell whether it is connected',
  },
};

export const freshness: Record<Freshness, Look> = {
  FRESH: { label: 'Fresh', shape: 'disc', tone: 'good', meaning: 'Sends as often as expected' },
  STALE: {
    label: 'Stale',
    shape: 'triangle',
    tone: 'warn',
    meaning: 'Is late with its next message, or sends without what its template requires',
  },
  SILENT: {
    label: 'Silent',
    shape: 'square',
    tone: 'bad',
    meaning: 'Has not sent for a long time, or never',
  },
};

export const credentialState: Record<CredentialState, Look> = {
  ACTIVE: { label: 'Active', shape: 'disc', tone: 'good', meaning: 'Holds a valid credential' },
  EXPIRING: { label: 'Expiring', shape: 'half', tone: 'warn', meaning: 'Its credential expires soon' },
  REVOKED: { label: 'Revoked', shape: 'square', tone: 'bad', meaning: 'Its credential no longer works' },
  NONE: { label: 'None', shape: 'dash', tone: 'idle', meaning: 'Has no credential, so it cannot connect' },
};

export const deviceStatus: Record<DeviceStatus, Look> = {
  ACTIVE: { label: 'Active', shape: 'disc', tone: 'good', meaning: 'May connect and send' },
  DISABLED: { label: 'Disabled', shape: 'half', tone: 'warn', meaning: 'Is kept, but may not connect' },
  DECOMMISSIONED: {
    label: 'Decommissioned',
    shape: 'square',
    tone: 'idle',
    meaning: 'Out of service for good',
  },
};
