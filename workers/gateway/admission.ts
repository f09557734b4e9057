import type { KeptMqttSession } from '#core/db/mqtt-sessions.ts';
import type { DeviceId, TenantId } from '#core/fleet/ids.ts';
import type { ProtocolVersion } from './protocol/read-connect.ts';
import type { UplinkMeaning } from './uplink.ts';

/** What is said for a device that leaves without saying goodbye. */
export interface Will extends UplinkMeaning {
  readonly payload: Buffer;
  readonly userProperties: Uint8Array | undefined;
  /** How long it waits for the device to come back. */
  readonly delaySeconds: number;
}

/** What a client is able to take, as it says in MQTT 5; with the widest limits for 3.1.1. */
export interface ClientLimits {
  /** Messages to it that it has not acknowledged. */
  readonly receiveMaximum: number;
  readonly maxPacketBytes: number;
  readonly topicAliasMaximum: number;
  /** Whether it wants to be told why a PUBLISH or SUBSCRIBE failed. */
  readonly wantsReasons: boolean;
}

/** A device that was let in. */
export interface Admission {
  readonly tenant: string;
  readonly device: string;
  readonly tenantId: TenantId;
  readonly deviceId: DeviceId;
  readonly credentialId: number;
  readonly credentialExpiresAt: Date | undefined;
  /** Higher than that of every earlier session of the device. */
  readonly epoch: bigint;
  readonly version: ProtocolVersion;
  readonly clientId: string;
  readonly clean: boolean;
  /** How long the session is kept after the connection; 0 for not at all. */
  readonly keepSeconds: number;
  /** The most that it may change that to. */
  readonly maxKeepSeconds: number;
  readonly connectedAt: Date;
  /** Silence beyond this ends the connection; 0 for never. One and a half times what the device promised. */
  readonly silenceMs: number;
  readonly will: Will | undefined;
  /** What an earlier connection wrote down; `unknown` while the database does not answer. */
  readonly kept: KeptMqttSession | undefined | 'unknown';
  readonly limits: ClientLimits;
  /** The CONNACK that lets it in. */
  welcome(sessionPresent: boolean): Buffer;
}
