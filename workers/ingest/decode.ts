import type { Frame, FrameItem, Replay } from '#core/bus/messages.ts';
import type { DeviceIdentity } from '#core/db/devices.ts';
import { Manifest, type PartFate } from '#core/db/manifest.ts';
import type { QuarantineRow, ReplayOutcome } from '#core/db/quarantine.ts';
import type { ReadingRow } from '#core/db/readings.ts';
import { countsOf, type FrameCounts, type FrameToStore, NO_TENANT } from '#core/db/telemetry.ts';
import { type CommandAck, isCommandId, readCommandAck } from '#core/fleet/command-acks.ts';
import { foreignDevice } from '#core/fleet/dialects/meter2.ts';
import { readMessage } from '#core/fleet/dialects/read-message.ts';
import type { MessageId } from '#core/fleet/message-id.ts';
import { readShadowReport, type ShadowReport } from '#core/fleet/shadow.ts';
import {
  type Problem,
  problemPart,
  type TelemetryLimits,
  type TelemetryPart,
  type TelemetryReading,
} from '#core/fleet/telemetry.ts';
import { readTimestamp } from '#core/fleet/timestamps.ts';
import { uuidTime } from '#core/fleet/uuid.ts';
import type { IdentityLookup } from './identities.ts';
import { type Measured, measure } from './measure.ts';

/** A reading that remembers whom its event is about. */
export interface IngestRow extends ReadingRow, Measured {
  readonly identity: KnownDevice;
  readonly item: FrameItem;
  readonly part: number;
  /** Whether it is all that its message holds. */
  readonly whole: boolean;
}

export type KnownDevice = DeviceIdentity & { readonly deviceId: NonNullable<DeviceIdentity['deviceId']> };

/** Something a device or its session did that is no reading: it becomes an event and no row. */
export interface Sign {
  readonly identity: KnownDevice;
  readonly at: number;
  readonly what:
    | { readonly kind: 'heartbeat' }
    | {
        readonly kind: 'session';
        readonly connection: 'ONLINE' | 'OFFLINE';
        readonly epoch?: string;
        readonly reason: string;
      };
}

/** What a device says it is. */
export interface ReportRow {
  readonly identity: KnownDevice;
  readonly item: FrameItem;
  readonly itemIndex: number;
  readonly report: ShadowReport;
}

/** What a device says of one of its commands. */
export interface AckRow {
  readonly identity: KnownDevice;
  readonly item: FrameItem;
  readonly itemIndex: number;
  /** Its entry in the frame's manifest. */
  readonly entry: number;
  readonly ack: CommandAck;
}

/** What whoever hands messages to devices says: the device has a command. */
export interface SentRow {
  readonly identity: KnownDevice;
  readonly commandId: string;
  /** In ms since the epoch. */
  readonly at: number;
}

export interface DecodedFrame extends FrameToStore<IngestRow> {
  readonly reports: readonly ReportRow[];
  readonly sents: readonly SentRow[];
  readonly acks: readonly AckRow[];
  readonly signs: readonly Sign[];
}

const DAY_MS = 86_400_000;

/** Where a frame lies on the stream, and who put it there. */
export type FramePlace = Pick<
  FrameToStore<ReadingRow>,
  'stream' | 'shard' | 'streamSequence' | 'streamedAt' | 'origin'
>;

/**
 * Decides the fate of every item of a frame. Pure: the same frame and the same identities give the same rows.
 * @param stored one flag a slot, for a frame that is stored already: its rows are exactly those whose flag is set, whatever
 * has become of their devices since; their values are as they were sent, for whoever asks to read those that were stored
 */
export function decodeFrame(
  frame: Frame,
  place: FramePlace,
  identityOf: IdentityLookup,
  limits: TelemetryLimits,
  stored?: readonly boolean[],
): DecodedFrame {
  const rows: IngestRow[] = [];
  const quarantine: QuarantineRow[] = [];
  const deadLetters: DecodedFrame['deadLetters'][number][] = [];
  const replays: ReplayOutcome[] = [];
  const signs: Sign[] = [];
  const reports: ReportRow[] = [];
  const acks: AckRow[] = [];
  const sents: SentRow[] = [];
  const counts = new Map<number, FrameCounts>();
  const manifest = new Manifest(frame.items.length);
  let slots = 0;

  for (const [itemIndex, item] of frame.items.entries()) {
    const identity = identityOf(item.tenant, item.device);
    const oldestTs = identity && !stored ? item.receivedAt - identity.retentionDays * DAY_MS : 0;
    // Read before anything is decided: how many slots an item takes must not depend on who is known today.
    const parts = readParts(item, oldestTs, limits);
    const firstSlot = slots;
    slots += parts.length;
    const { source, kind } = item;
    const deviceId = identity?.deviceId ?? 0;
    const note = (fate: PartFate, part: number, id?: MessageId) =>
      manifest.add({ fate, id, continues: part > 0, source, kind, deviceId });
    if (!identity) {
      const unknown = countsOf(counts, NO_TENANT);
      unknown.accepted++;
      unknown.deadLettered++;
      note('DEAD_LETTERED', 0);
      const { device, payload } = item;
      const reason = `unknown tenant ${item.tenant}`;
      deadLetters.push({ itemIndex, tenantId: undefined, device, payload, reason });
      continue;
    }
    const turnAway = (problem: Problem, part: number, whole: boolean) => {
      const tenant = countsOf(counts, identity.tenantId);
      tenant.accepted++;
      tenant.quarantined++;
      note('QUARANTINED', part);
      quarantine.push(quarantineRow(item, identity, problem, { itemIndex, part, whole }));
      if (item.replay) replays.push(replayOutcome(item.replay, identity, 'QUARANTINED', problem.reason));
    };
    const sign = (what: Sign): number => {
      signs.push(what);
      if (item.replay) replays.push(replayOutcome(item.replay, identity, 'ACCEPTED'));
      return note('SIGN_OF_LIFE', 0);
    };
    const refusal = stored ? undefined : refusalOf(identity);
    const known = isKnown(identity) && !refusal ? identity : undefined;
    if (isSession(item)) {
      if (isKnown(identity)) sign(sessionSign(item, identity));
      else note('SIGN_OF_LIFE', 0);
    } else if (item.kind === 'command_sent') {
      const commandId = readJson(item.payload)['command_id'];
      if (isKnown(identity)) {
        sign(alive(item, identity));
        if (isCommandId(commandId)) sents.push({ identity, commandId, at: item.receivedAt });
      } else note('SIGN_OF_LIFE', 0);
    } else if (!known) turnAway(refusal ?? { reason: 'UNKNOWN_DEVICE', detail: 'no such device' }, 0, true);
    else if (item.kind === 'heartbeat' || item.kind === 'status') {
      const read = readSign(item, known);
      if ('problem' in read) turnAway(read.problem, 0, true);
      else sign(read);
    } else if (item.kind === 'shadow_reported') {
      const read = readShadowReport(item.payload, limits);
      if ('problem' in read) turnAway(read.problem, 0, true);
      else {
        sign(alive(item, known));
        reports.push({ identity: known, item, itemIndex, report: read.report });
      }
    } else if (item.kind === 'command_ack') {
      const read = readCommandAck(item.dialect, item.payload, item.device, limits);
      if ('problem' in read) turnAway(read.problem, 0, true);
      else acks.push({ identity: known, item, itemIndex, entry: sign(alive(item, known)), ack: read.ack });
    } else if (item.kind !== 'telemetry') {
      turnAway({ reason: 'NOT_SUPPORTED', detail: `${item.kind} is not supported yet` }, 0, true);
    } else {
      const whole = parts.length === 1 && item.replay?.part === undefined;
      for (const [part, entry] of parts.entries()) {
        const slot = firstSlot + part;
        if ('problem' in entry) turnAway(entry.problem, part, whole);
        else if (!stored || stored[slot]) {
          const measured = measure(entry.reading, item, stored ? undefined : known.profile);
          if ('problem' in measured) turnAway(measured.problem, part, whole);
          else {
            countsOf(counts, known.tenantId).accepted++;
            const noted = note('STORED', part, entry.reading.id);
            rows.push(
              ingestRow(item, known, entry.reading, measured, { itemIndex, part, slot, whole, entry: noted }),
            );
          }
        }
      }
    }
  }
  return {
    batchId: frame.batchId,
    framedAt: uuidTime(frame.batchId),
    ...place,
    items: frame.items.length,
    rows,
    quarantine,
    deadLetters,
    replays,
    manifest,
    counts,
    signs,
    reports,
    acks,
    sents,
  };
}

const replayOutcome = (
  { quarantineId }: Replay,
  { tenantId }: DeviceIdentity,
  outcome: ReplayOutcome['outcome'],
  reason?: ReplayOutcome['reason'],
): ReplayOutcome => ({ quarantineId, tenantId, outcome, reason, reading: undefined });

/**
 * The readings of a telemetry item, or what is wrong with them; nothing for any other kind. A replay of one reading is that
 * reading, or all there is of a message that has only one now.
 */
function readParts(item: FrameItem, oldestTs: number, limits: TelemetryLimits): TelemetryPart[] {
  if (item.kind !== 'telemetry') return [];
  const { device, receivedAt, dup, keyHash, replay } = item;
  const parts = readMessage(item.dialect, item.payload, {
    device,
    receivedAt,
    dup,
    keyHash,
    oldestTs,
    limits,
  });
  if (replay?.part === undefined || parts.length === 1) return parts;
  const part = parts[replay.part];
  return [part ?? problemPart('BAD_SHAPE', `the message has no reading ${replay.part} any more`)];
}

export function quarantineRow(
  item: FrameItem,
  identity: DeviceIdentity,
  problem: Problem,
  { itemIndex, whole, part: ownPart }: Pick<QuarantineRow, 'itemIndex' | 'part' | 'whole'>,
): QuarantineRow {
  const { device, kind, source, dialect, keyHash, userProperties, payload, receivedAt, replay } = item;
  // One reading of a message stays that reading, whatever row of the frame it has become.
  const part = replay?.part ?? ownPart;
  return {
    ...{ device, kind, source, dialect, keyHash, userProperties, payload, receivedAt },
    ...{ itemIndex, part, whole },
    tenantId: identity.tenantId,
    deviceId: identity.deviceId,
    reason: problem.reason,
    detail: problem.detail,
    field: problem.field,
    replayOf: replay?.quarantineId,
  };
}

function ingestRow(
  item: FrameItem,
  identity: KnownDevice,
  reading: TelemetryReading,
  measured: Measured,
  place: Pick<IngestRow, 'itemIndex' | 'part' | 'slot' | 'whole' | 'entry'>,
): IngestRow {
  return {
    tenantId: identity.tenantId,
    deviceId: identity.deviceId,
    ts: reading.ts,
    id: reading.id,
    receivedAt: item.receivedAt,
    lat: reading.lat,
    lng: reading.lng,
    dupPossible: reading.dupPossible,
    timeless: reading.timeless,
    identity,
    item,
    replayOf: item.replay?.quarantineId,
    metrics: measured.metrics,
    metricsJson: measured.metricsJson,
    flagsJson: measured.flagsJson,
    sentJson: measured.sentJson,
    unmodelled: measured.unmodelled,
    itemIndex: place.itemIndex,
    part: place.part,
    slot: place.slot,
    whole: place.whole,
    entry: place.entry,
  };
}

function refusalOf(identity: DeviceIdentity): Problem | undefined {
  if (identity.tenantStatus !== 'ACTIVE')
    return { reason: 'TENANT_SUSPENDED', detail: `the tenant is ${identity.tenantStatus.toLowerCase()}` };
  if (identity.status === 'DECOMMISSIONED')
    return { reason: 'DEVICE_DECOMMISSIONED', detail: 'the device was decommissioned' };
  if (identity.status === 'DISABLED') return { reason: 'DEVICE_DISABLED', detail: 'the device is disabled' };
  return undefined;
}

const isKnown = (identity: DeviceIdentity): identity is KnownDevice => identity.deviceId !== null;

const isSession = (item: FrameItem): boolean => item.kind === 'connected' || item.kind === 'disconnected';

/** Written by our own gateway: a malformed one is a fault of ours, and still proof that the session was there. */
function sessionSign(item: FrameItem, identity: KnownDevice): Sign {
  const said = readJson(item.payload);
  const at = readTimestamp(said['at']) ?? item.receivedAt;
  return {
    identity,
    at,
    what: {
      kind: 'session',
      connection: item.kind === 'connected' ? 'ONLINE' : 'OFFLINE',
      ...(typeof said['epoch'] === 'string' && { epoch: said['epoch'] }),
      reason: typeof said['reason'] === 'string' ? said['reason'] : item.kind,
    },
  };
}

const alive = (item: FrameItem, identity: KnownDevice): Sign => {
  return { identity, at: item.receivedAt, what: { kind: 'heartbeat' } };
};

function readSign(item: FrameItem, identity: KnownDevice): Sign | { readonly problem: Problem } {
  const heartbeat = alive(item, identity);
  if (item.kind === 'heartbeat' && item.dialect === 'canonical') return heartbeat;
  const said = readJson(item.payload);
  const foreign = item.dialect === 'meter2' ? foreignDevice(said, item.device, false) : undefined;
  if (foreign) return foreign;
  if (item.kind === 'heartbeat') return heartbeat;
  if (said['status'] !== 'online' && said['status'] !== 'offline') {
    return { problem: { reason: 'BAD_SHAPE', detail: 'status is "online" or "offline"' } };
  }
  return {
    identity,
    at: item.receivedAt,
    what: {
      kind: 'session',
      connection: said['status'] === 'online' ? 'ONLINE' : 'OFFLINE',
      reason: 'status',
    },
  };
}

function readJson(payload: Uint8Array): Record<string, unknown> {
  try {
    const parsed: unknown = JSON.parse(
      Buffer.from(payload.buffer, payload.byteOffset, payload.length).toString('utf8'),
    );
    return typeof parsed === 'object' && parsed !== null ? (parsed as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}
