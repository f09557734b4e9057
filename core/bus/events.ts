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

/** What the events of each kind say. */
interface EventTypes {
  readonly telemetry: TelemetryEvent;
  readonly heartbeat: HeartbeatEvent;
  readonly session: SessionEvent;
  readonly presence: PresenceEvent;
  readonly device: DeviceEvent;
  readonly credential: CredentialEvent;
  readonly sequence: SequenceEvent;
  readonly shadow: ShadowEvent;
  readonly command: CommandChangedEvent;
}

/** The events of one tenant, at least one. */
export interface TenantEvents<Event> {
  readonly tenant: string;
  readonly tenantId: number;
  readonly events: readonly Event[];
}

interface EventMessageOf<Kind extends EventKind> extends TenantEvents<EventTypes[Kind]> {
  readonly v: 1;
  readonly kind: Kind;
}

interface EventBatchOf<Kind extends EventKind> {
  readonly kind: Kind;
  /** A tenant comes once. */
  readonly parts: readonly TenantEvents<EventTypes[Kind]>[];
}

/** One message on EVENTS: events of one kind and one tenant. */
export type EventMessage = { [Kind in EventKind]: EventMessageOf<Kind> }[EventKind];

/** One message on EVENTS: events of one kind, of tenants that share a shard. */
export type EventBatch = { [Kind in EventKind]: EventBatchOf<Kind> }[EventKind];

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

/** What is heard of devices beside readings. */
export type SignBatch = Extract<EventBatch, { readonly kind: 'heartbeat' | 'session' }>;

/** Of messages that hold several tenants' events; 2 and 3 are readings, in layouts of their own. */
const BATCH_VERSION = 4;

const decoder = new TextDecoder('utf-8');

export function encodeEvents(message: EventMessage): Buffer {
  return Buffer.from(JSON.stringify(message));
}

/** Events of many tenants in one message, so that what an event costs does not depend on how many tenants there are. */
export function encodeEventBatch(batch: Exclude<EventBatch, { readonly kind: 'telemetry' }>): Buffer {
  return Buffer.from(JSON.stringify({ v: BATCH_VERSION, ...batch }));
}

/** Reads both. @throws EventError for another version or anything that is not JSON */
export function decodeEvents(bytes: Uint8Array): EventBatch {
  const { v, kind, parts, tenant, tenantId, events } = parse(bytes);
  const isBatch = v === BATCH_VERSION && kind !== 'telemetry';
  const all = v === 1 ? [{ tenant, tenantId, events }] : isBatch ? parts : undefined;
  if (!areParts(all)) throw new EventError('unknown event version');
  return { kind, parts: all } as EventBatch;
}

/** What a message of readings holds of signs; absent is none. @throws EventError for anything else */
export function readSigns(value: unknown): readonly SignBatch[] {
  if (value === undefined) return [];
  const isSign = (each: Partial<SignBatch> | null) =>
    (each?.kind === 'heartbeat' || each?.kind === 'session') && areParts(each.parts);
  if (!Array.isArray(value) || !value.every(isSign)) throw new EventError('signs that are none');
  return value;
}

const areParts = (value: unknown): value is readonly TenantEvents<unknown>[] =>
  Array.isArray(value) && value.every((part) => Array.isArray(part?.events));

function parse(bytes: Uint8Array): Record<string, unknown> {
  try {
    return JSON.parse(decoder.decode(bytes)) ?? {};
  } catch (error) {
    throw new EventError(`not JSON: ${error instanceof Error ? error.message : ''}`);
  }
}
