import type { CommandChangedEvent, PresenceEvent, ShadowEvent, TelemetryEvent } from '#core/bus/events.ts';

/** What can be subscribed to. */
export const LIVE_KINDS = ['telemetry', 'presence', 'shadow', 'command'] as const;
export type LiveKind = (typeof LIVE_KINDS)[number];

/** An event of one of these kinds. */
export type LiveEvent = TelemetryEvent | PresenceEvent | ShadowEvent | CommandChangedEvent;

/** What a subscriber wants. Every condition given must hold; a condition that is absent always does. */
export interface LiveFilter {
  readonly deviceIds?: ReadonlySet<number> | undefined;
  readonly deviceKeys?: ReadonlySet<string> | undefined;
  readonly siteIds?: ReadonlySet<number> | undefined;
  readonly metrics?: ReadonlySet<string> | undefined;
}

/** Whether the event is wanted. Metrics are a condition of telemetry only. */
export function matches(filter: LiveFilter, event: LiveEvent): boolean {
  const { deviceIds, deviceKeys, siteIds, metrics } = filter;
  if (deviceIds && !deviceIds.has(event.deviceId)) return false;
  if (deviceKeys && !deviceKeys.has(event.device)) return false;
  if (siteIds && (event.siteId === null || !siteIds.has(event.siteId))) return false;
  if (!metrics || !('metrics' in event)) return true;
  for (const key in event.metrics) if (metrics.has(key)) return true;
  return false;
}

/** What the subscribers to a device are looked up by; undefined when they want more than a list of devices. */
export function deviceNames(filter: LiveFilter): (number | string)[] | undefined {
  if (filter.deviceIds) return [...filter.deviceIds];
  if (filter.deviceKeys) return [...filter.deviceKeys];
  return undefined;
}
