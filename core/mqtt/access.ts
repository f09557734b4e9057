import { downlinkLeavesUnder, uplinkTopics } from './topics.ts';

/** Whether a topic is one that a device may publish to: its own uplinks, in any spelling. */
export function mayPublish(topic: string, tenant: string, device: string): boolean {
  return uplinkTopics(tenant, device).some((uplink) => uplink.topic === topic);
}

/** Whether a filter reaches something that is sent down to a device, and nothing of anybody else. */
export function maySubscribe(filter: string, tenant: string, device: string): boolean {
  return downlinkLeavesUnder(filter, tenant, device).length > 0;
}
