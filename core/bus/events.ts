import type { CommandEvent, CommandStatus } from '../fleet/commands.ts';
import type { MetricFlags } from '../fleet/measuring.ts';
import { FleetgraphError } from '../runtime/errors.ts';
import type { EventKind } from './subjects.ts';

/** What every event says about the device it concerns. */
interface AboutDevice {
  readonly deviceId: number;
  readonly device: string;
  readonly siteId: number | null;
}

/** A committed reading. Times are milliseconds since the epoch; `id` is the message id in decimal. */
export interface TelemetryEvent extends AboutDevice {
  readonly ts: number;
  readonly id: string;
  readonly receivedAt: number;
  readonly metrics: Readonly<Record<string, number | boolean | string>>;
  /** Of the metrics that are not as they should be. */
  readonly flags?: MetricFlags;
  readonly lat?: number;
  readonly lng?: number;
}

/** Proof of life that carries no reading. */
export interface HeartbeatEvent extends AboutDevice {
  readonly at: number;
}

/** A session began or ended, or the device said so itself (`status`, then without an epoch). */
export interface SessionEvent extends AboutDevice {
  readonly at: number;
  readonly connection: 'ONLINE' | 'OFFLINE';
  /** The session's epoch in decimal; absent when the device or its will said it. */
  readonly epoch?: string;
  readonly reason: string;
}

/** The presence of a device after a change. */
export interface PresenceEvent extends AboutDevice {
  readonly at: number;
  readonly connection: 'ONLINE' | 'OFFLINE' | 'UNKNOWN';
  readonly freshness: 'FRESH' | 'STALE' | 'SILENT';
  /** Absent in events of an older evaluator. */
  readonly credential?: 'NONE' | 'ACTIVE' | 'EXPIRING' | 'REVOKED';
  readonly lastSeenAt: number | null;
  readonly connectionChangedAt: number | null;
  /** Absent in events of an older evaluator. */
  readonly missingMetrics?: readonly string[];
}

/** A device was created, changed or decommissioned; ask the database for what it is now. */
export interface DeviceEvent extends AboutDevice {
  readonly at: number;
  readonly change: 'CREATED' | 'UPDATED' | 'DECOMMISSIONED';
}

/** Messages of a device are missing, or arrived after all. Made known no sooner than a gap has had time to close by itself. */
export interface SequenceEvent extends AboutDevice {
  readonly at: number;
  readonly change: 'GAP' | 'HEALED';
  readonly boot: number;
  /** The first and the last number of the gap. */
  readonly from: number;
  readonly to: number;
  readonly firstSeenAt: number;
}

/** A certificate of a device ends soon. */
export interface CredentialEvent extends AboutDevice {
  readonly at: number;
  readonly change: 'EXPIRING';
  /** Of the certificate, hexadecimal. */
  readonly serial: string;
  /** Which warning it is: it ends within 30, 14, 7 or 1 days. */
  readonly days: number;
  readonly endsAt: number;
}

/** A side of a device's shadow has a new version; ask the database for the document. */
export interface ShadowEvent extends AboutDevice {
  readonly at: number;
  readonly side: 'DESIRED' | 'REPORTED';
  readonly version: number;
  /** Of a report: the desired version that it answers; 0 for none. */
  readonly answers: number;
  /** Who wants it so, as the audit log names them; null for the device itself. */
  readonly actor: string | null;
}

/** A command has reached another state. Its parameters and details are not told: ask the database. */
export interface CommandChangedEvent extends AboutDevice {
  readonly at: number;
  /** A bigint in decimal. */
  readonly id: string;
  /** What the device knows it by. */
  readonly commandId: string;
  readonly type: string;
  readonly status: CommandStatus;
  /** What brought it there. */
  readonly event: CommandEvent;
  readonly actor: string;
  readonly jobId: number | null;
  readonly createdAt: number;
  readonly expiresAt: number;
  readonly sentAt: number | null;
  readonly acknowledgedAt: number | null;
  readonly finishedAt: number | null;
}

interface EventOf<Kind extends EventKind, Event> {
  readonly v: 1;
  readonly tenant: string;
  readonly tenantId: number;
  readonly kind: Kind;
  readonly events: readonly Event[];
}

/** One message on EVENTS: events of one kind and one tenant. */
export type EventMessage =
  | EventOf<'telemetry', TelemetryEvent>
  | EventOf<'heartbeat', HeartbeatEvent>
  | EventOf<'session', SessionEvent>
  | EventOf<'presence', PresenceEvent>
  | EventOf<'device', DeviceEvent>
  | EventOf<'credential', CredentialEvent>
  | EventOf<'sequence', SequenceEvent>
  | EventOf<'shadow', ShadowEvent>
  | EventOf<'command', CommandChangedEvent>;

/**
 * The message a cache listener gets: whatever it holds about `id` is no longer true. The `id` of `member` is that of a
 * credential, `user:` and the subject.
 */
export interface ControlMessage {
  readonly tenant: string;
  readonly tenantId: number;
  readonly id: string;
  readonly version: number;
}

/** The bytes on EVENTS are not an event message of a known version. */
export class EventError extends FleetgraphError {
  constructor(message: string) {
    super('EVENT_INVALID', message);
  }
}

const decoder = new TextDecoder('utf-8');

export function encodeEvents(message: EventMessage): Buffer {
  return Buffer.from(JSON.stringify(message));
}

/** @throws EventError for another version or anything that is not JSON */
export function decodeEvents(bytes: Uint8Array): EventMessage {
  let parsed: EventMessage;
  try {
    parsed = JSON.parse(decoder.decode(bytes)) as EventMessage;
  } catch (error) {
    throw new EventError(`not JSON: ${error instanceof Error ? error.message : ''}`);
  }
  if (parsed?.v !== 1 || !Array.isArray(parsed.events)) throw new EventError('unknown event version');
  return parsed;
}
