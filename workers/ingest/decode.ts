import type { Frame, FrameItem } from '#core/bus/messages.ts';
import type { DeviceIdentity } from '#core/db/devices.ts';
import { Manifest, type PartFate } from '#core/db/manifest.ts';
import type { QuarantineRow, ReplayOutcome } from '#core/db/quarantine.ts';
import { countsOf, type FrameCounts, NO_TENANT } from '#core/db/telemetry.ts';
import { isCommandId, readCommandAck } from '#core/fleet/command-acks.ts';
import { readMessage } from '#core/fleet/dialects/read-message.ts';
import type { MessageId } from '#core/fleet/message-id.ts';
import { readShadowReport } from '#core/fleet/shadow.ts';
import {
  type Problem,
  problemPart,
  type TelemetryLimits,
  type TelemetryPart,
} from '#core/fleet/telemetry.ts';
import { uuidTime } from '#core/fleet/uuid.ts';
import {
  type AckRow,
  type DecodedFrame,
  type FramePlace,
  type IngestRow,
  isKnown,
  type KnownDevice,
  type ReportRow,
  type SentRow,
  type Sign,
} from './decoded.ts';
import { measure } from './measure.ts';
import { ingestRow, quarantineRow, refusalOf, UNKNOWN_DEVICE } from './rows.ts';
import { alive, readJson, readSign, sessionSign } from './signs.ts';

const DAY_MS = 86_400_000;

/**
 * Decides the fate of every item of a frame. Pure: the same frame and the same identities give the same rows.
 * @param identities whose each item is, in the order of the items; undefined where the tenant is not known
 * @param stored one flag a slot, for a frame that is stored already: its rows are exactly those whose flag is set, whatever
 * has become of their devices since; their values are as they were sent, for whoever asks to read those that were stored
 */
export function decodeFrame(
  frame: Frame,
  place: FramePlace,
  identities: readonly (DeviceIdentity | undefined)[],
  limits: TelemetryLimits,
  stored?: readonly boolean[],
): DecodedFrame {
  const decoder = new FrameDecoder(frame.items.length, limits, stored);
  for (let index = 0; index < frame.items.length; index++) {
    const item = frame.items[index];
    if (item) decoder.take(item, index, identities[index]);
  }
  const { batchId, items } = frame;
  return { batchId, framedAt: uuidTime(batchId), ...place, items: items.length, ...decoder.outcome() };
}

/** What it has found so far of one frame. */
class FrameDecoder {
  readonly #limits: TelemetryLimits;
  readonly #stored: readonly boolean[] | undefined;
  readonly #manifest: Manifest;
  readonly #counts = new Map<number, FrameCounts>();
  readonly #rows: IngestRow[] = [];
  readonly #quarantine: QuarantineRow[] = [];
  readonly #deadLetters: DecodedFrame['deadLetters'][number][] = [];
  readonly #replays: ReplayOutcome[] = [];
  readonly #signs: Sign[] = [];
  readonly #reports: ReportRow[] = [];
  readonly #acks: AckRow[] = [];
  readonly #sents: SentRow[] = [];
  /** The slot of the next reading. */
  #slots = 0;

  constructor(items: number, limits: TelemetryLimits, stored: readonly boolean[] | undefined) {
    this.#limits = limits;
    this.#stored = stored;
    this.#manifest = new Manifest(items);
  }

  take(item: FrameItem, itemIndex: number, identity: DeviceIdentity | undefined): void {
    const oldestTs = identity && !this.#stored ? item.receivedAt - identity.retentionDays * DAY_MS : 0;
    // Read before anything is decided: how many slots an item takes must not depend on who is known today.
    const parts = readParts(item, oldestTs, this.#limits);
    const firstSlot = this.#slots;
    this.#slots += parts.length;
    if (!identity) this.#giveUp(item, itemIndex);
    else if (item.kind === 'connected' || item.kind === 'disconnected') {
      if (isKnown(identity)) this.#sign(item, sessionSign(item, identity));
      else this.#note('SIGN_OF_LIFE', item, identity);
    } else if (item.kind === 'command_sent') this.#takeSent(item, identity);
    else {
      const refusal = this.#stored ? undefined : refusalOf(identity);
      if (refusal || !isKnown(identity))
        this.#turnAway(item, identity, refusal ?? UNKNOWN_DEVICE, itemIndex, 0, true);
      else if (item.kind === 'telemetry') this.#takeReadings(item, identity, parts, itemIndex, firstSlot);
      else this.#takeOther(item, identity, itemIndex);
    }
  }

  outcome() {
    return {
      rows: this.#rows,
      quarantine: this.#quarantine,
      deadLetters: this.#deadLetters,
      replays: this.#replays,
      manifest: this.#manifest,
      counts: this.#counts,
      signs: this.#signs,
      reports: this.#reports,
      acks: this.#acks,
      sents: this.#sents,
    };
  }

  #takeReadings(
    item: FrameItem,
    identity: KnownDevice,
    parts: readonly TelemetryPart[],
    itemIndex: number,
    firstSlot: number,
  ): void {
    const whole = parts.length === 1 && item.replay?.part === undefined;
    for (let part = 0; part < parts.length; part++) {
      const found = parts[part];
      const slot = firstSlot + part;
      if (!found) continue;
      if ('problem' in found) this.#turnAway(item, identity, found.problem, itemIndex, part, whole);
      else if (!this.#stored || this.#stored[slot]) {
        const { reading } = found;
        const measured = measure(reading, item, this.#stored ? undefined : identity.profile);
        if ('problem' in measured) this.#turnAway(item, identity, measured.problem, itemIndex, part, whole);
        else {
          countsOf(this.#counts, identity.tenantId).accepted++;
          const entry = this.#note('STORED', item, identity, part, reading.id);
          const place = { itemIndex, part, slot, whole, entry };
          this.#rows.push(ingestRow(item, identity, reading, measured, place));
        }
      }
    }
  }

  /** What is neither a reading nor the gateway's own word. */
  #takeOther(item: FrameItem, identity: KnownDevice, itemIndex: number): void {
    const turnAway = (problem: Problem) => this.#turnAway(item, identity, problem, itemIndex, 0, true);
    if (item.kind === 'heartbeat' || item.kind === 'status') {
      const read = readSign(item, identity);
      if ('problem' in read) turnAway(read.problem);
      else this.#sign(item, read);
    } else if (item.kind === 'shadow_reported') {
      const read = readShadowReport(item.payload, this.#limits);
      if ('problem' in read) turnAway(read.problem);
      else {
        this.#sign(item, alive(item, identity));
        this.#reports.push({ identity, item, itemIndex, report: read.report });
      }
    } else if (item.kind === 'command_ack') {
      const read = readCommandAck(item.dialect, item.payload, item.device, this.#limits);
      if ('problem' in read) turnAway(read.problem);
      else {
        const entry = this.#sign(item, alive(item, identity));
        this.#acks.push({ identity, item, itemIndex, entry, ack: read.ack });
      }
    } else turnAway({ reason: 'NOT_SUPPORTED', detail: `${item.kind} is not supported yet` });
  }

  #takeSent(item: FrameItem, identity: DeviceIdentity): void {
    const commandId = readJson(item.payload)['command_id'];
    if (isKnown(identity)) {
      this.#sign(item, alive(item, identity));
      if (isCommandId(commandId)) this.#sents.push({ identity, commandId, at: item.receivedAt });
    } else this.#note('SIGN_OF_LIFE', item, identity);
  }

  /** Its tenant does not exist. */
  #giveUp(item: FrameItem, itemIndex: number): void {
    const unknown = countsOf(this.#counts, NO_TENANT);
    unknown.accepted++;
    unknown.deadLettered++;
    this.#note('DEAD_LETTERED', item, undefined);
    const { device, payload } = item;
    const reason = `unknown tenant ${item.tenant}`;
    this.#deadLetters.push({ itemIndex, tenantId: undefined, device, payload, reason });
  }

  #turnAway(
    item: FrameItem,
    identity: DeviceIdentity,
    problem: Problem,
    itemIndex: number,
    part: number,
    whole: boolean,
  ): void {
    const tenant = countsOf(this.#counts, identity.tenantId);
    tenant.accepted++;
    tenant.quarantined++;
    this.#note('QUARANTINED', item, identity, part);
    this.#quarantine.push(quarantineRow(item, identity, problem, { itemIndex, part, whole }));
    this.#settle(item, identity, 'QUARANTINED', problem.reason);
  }

  /** Returns the entry of the sign in the manifest. */
  #sign(item: FrameItem, sign: Sign): number {
    this.#signs.push(sign);
    this.#settle(item, sign.identity, 'ACCEPTED');
    return this.#note('SIGN_OF_LIFE', item, sign.identity);
  }

  /** Says what became of a replay. */
  #settle(
    { replay }: FrameItem,
    { tenantId }: DeviceIdentity,
    outcome: ReplayOutcome['outcome'],
    reason?: ReplayOutcome['reason'],
  ): void {
    if (!replay) return;
    const { quarantineId } = replay;
    this.#replays.push({ quarantineId, tenantId, outcome, reason, reading: undefined });
  }

  #note(
    fate: PartFate,
    { source, kind }: FrameItem,
    identity: DeviceIdentity | undefined,
    part = 0,
    id?: MessageId,
  ): number {
    const deviceId = identity?.deviceId ?? 0;
    return this.#manifest.add({ fate, id, continues: part > 0, source, kind, deviceId });
  }
}

/**
 * The readings of a telemetry item, or what is wrong with them; nothing for any other kind. A replay of one reading is that
 * reading, or all there is of a message that has only one now.
 */
function readParts(item: FrameItem, oldestTs: number, limits: TelemetryLimits): readonly TelemetryPart[] {
  if (item.kind !== 'telemetry') return [];
  const { device, receivedAt, dup, keyHash, replay } = item;
  const context = { device, receivedAt, dup, keyHash, oldestTs, limits };
  const parts = readMessage(item.dialect, item.payload, context);
  if (replay?.part === undefined || parts.length === 1) return parts;
  const part = parts[replay.part];
  return [part ?? problemPart('BAD_SHAPE', `the message has no reading ${replay.part} any more`)];
}
