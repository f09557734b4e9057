import { type DesiredState, desiredMessage } from '../fleet/shadow.ts';
import type { DownlinkEnvelope } from './downlink.ts';

/** What a device should be, as it is told on its `shadow/desired`. */
export function desiredEnvelope(tenant: string, device: string, desired: DesiredState): DownlinkEnvelope {
  return {
    ...{ tenant, device, leaf: 'shadow/desired', qos: 1, retain: true },
    ...{ version: desired.version, contentType: 'application/json', payload: desiredMessage(desired) },
  };
}

/** Takes away what is retained for a device. @param version of what comes after the last one */
export function noDesiredEnvelope(tenant: string, device: string, version: number): DownlinkEnvelope {
  return {
    ...{ tenant, device, leaf: 'shadow/desired', qos: 1, retain: true, version },
    payload: Buffer.alloc(0),
  };
}
