/** Every subject of the bus is built here. A tenant is never in one: its shard is. */
export const telemetrySubject = (shard: number): string => `telemetry.${shard}`;
export const shadowSubject = (shard: number): string => `shadow.${shard}`;
export const commandsSubject = (shard: number): string => `commands.${shard}`;
export const downlinkSubject = (shard: number): string => `downlink.${shard}`;
export const eventsSubject = (shard: number, kind: EventKind): string => `events.${shard}.${kind}`;
export const controlSubject = (kind: ControlKind): string => `control.${kind}`;

export type EventKind =
  | 'telemetry'
  | 'heartbeat'
  | 'session'
  | 'presence'
  | 'device'
  | 'sequence'
  | 'credential'
  | 'shadow'
  | 'command';
export type ControlKind =
  | 'credential'
  | 'session'
  | 'template'
  | 'route'
  | 'member'
  | 'device'
  | 'key'
  | 'tenant'
  | 'limits';
