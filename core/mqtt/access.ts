import { downlinkTopicsUnder, uplinkTopics } from './topics.ts';

/** Whether a topic is one that a device may publish to: its own uplinks, in any spelling. */
export function mayPublish(topic: string, tenant: string, device: string): boolean {
  return uplinkTopics(tenant, device).some((uplink) => uplink.topic === topic);
}

/**
 * Whether a filter reaches something that is sent down to a device, and nothing of anybody else.
 * @param meterTenant whose the topics are that name no tenant, at a broker that several tenants share; undefined: nobody's
 */
export function maySubscribe(
  filter: string,
  tenant: string,
  device: string,
  meterTenant: string | undefined,
): boolean {
  const heard = downlinkTopicsUnder(filter, tenant, device);
  return (
    heard.length > 0 && (tenant === meterTenant || heard.every(({ dialect }) => dialect === 'canonical'))
  );
}
