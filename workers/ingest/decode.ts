import type { FramedItem } from '#core/bus/framed-item.ts';
import type { Frame, FrameItem } from '#core/bus/messages.ts';
import type { DeviceIdentity } from '#core/db/devices.ts';
import { Manifest, type PartFate } from '#core/db/manifest.ts';
import type { QuarantineRow, ReplayOutcome } from '#core/db/quarantine.ts';
import { countsOf, type FrameCounts, NO_TENANT } from '#core/db/telemetry.ts';
import { isCommandId, readCommandAck } from '#core/fleet/command-acks.ts';
import type { JsonTexts } from '#core/fleet/json-text.ts';
import type { MessageId } from '#core/fleet/message-id.ts';
import { readShadowReport } from '#core/fleet/shadow.ts';
import type { Problem, TelemetryPart } from '#core/fleet/telemetry.ts';
import { uuidTime } from '#core/fleet/uuid.ts';
import {
  type AckRow,
  type DecodedFrame,
  type FramePlace,
  isKnown,
  type KnownDevice,
  type ReportRow,
  type SentRow,
  type Sign,
} from './decoded.ts';
import { IngestRow, type RowPlace } from './ingest-row.ts';
import { type Measured, measure } from './measure.ts';
import type { DecodeTools, MessageReader, ScannedReading } from './message-reader.ts';
import { quarantineRow, refusalOf, UNKNOWN_DEVICE } from './rows.ts';
import { alive, readJson, readSign, sessionSign } from './signs.ts';

const DAY_MS = 86_400_000;

/**
 * Decides the fate of every item of a frame. The same frame and the same identities give the same rows.
 * @param identities whose each item is, in the order of the items; undefined where the tenant is not known
 * @param stored one flag a slot, for a frame that is stored already: its rows are exactly those whose flag is set, whatever
 * has become of their devices since; their values are as they were sent, for whoever asks to read those that were stored
 */
export function decodeFrame(
  frame: Frame,
  place: FramePlace,
  identities: readonly (DeviceIdentity | undefined)[],
  tools: DecodeTools,
  stored?: readonly boolean[],
): DecodedFrame {
  const decoder = new FrameDecoder(frame.items.length, tools, stored);
  for (let index = 0; index < frame.items.length; index++) {
    const item = frame.items[index];
    if (item) decoder.take(item, index, identities[index]);
  }
  const { batchId, items } = frame;
  return { batchId, framedAt: uuidTime(batchId), ...place, items: items.length, ...decoder.outcome() };
}

/** What it has found so far of one frame. */
class FrameDecoder {
  readonly #reader: MessageReader;
  readonly #texts: JsonTexts;
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

  constructor(items: number, { reader, texts }: DecodeTools, stored: readonly boolean[] | undefined) {
    this.#reader = reader;
    this.#texts = texts;
    this.#stored = stored;
    this.#manifest = new Manifest(items);
  }

  take(item: FramedItem, itemIndex: number, identity: DeviceIdentity | undefined): void {
    if (identity && !this.#stored && this.#takeOrdinary(item, identity, itemIndex)) return;
    const oldestTs = identity && !this.#stored ? oldestOf(item, identity) : 0;
    // Read before anything is decided: how many slots an item takes must not depend on who is known today.
    const parts = this.#reader.readParts(item, oldestTs);
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

  /** Takes a message of one reading that is as almost all are; says whether it was one. */
  #takeOrdinary(item: FramedItem, identity: DeviceIdentity, itemIndex: number): boolean {
    if (item.kind !== 'telemetry' || !isKnown(identity) || refusalOf(identity)) return false;
    const found = this.#reader.scan(item, identity, oldestOf(item, identity), this.#texts);
    if (!found) return false;
    const place = { itemIndex, part: 0, slot: this.#slots++, whole: true };
    this.#store(item, identity, found.reading, found.measured, place);
    return true;
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
        const profile = this.#stored ? undefined : identity.profile;
        const measured = measure(reading, item, profile, this.#texts);
        if ('problem' in measured) this.#turnAway(item, identity, measured.problem, itemIndex, part, whole);
        else this.#store(item, identity, reading, measured, { itemIndex, part, slot, whole });
      }
    }
  }

  #store(
    item: FrameItem,
    identity: KnownDevice,
    reading: ScannedReading,
    measured: Measured,
    place: RowPlace,
  ): void {
    countsOf(this.#counts, identity.tenantId).accepted++;
    const entry = this.#note('STORED', item, identity, place.part, reading.id);
    this.#rows.push(new IngestRow(item, identity, reading, measured, place, entry));
  }

  /** What is neither a reading nor the gateway's own word. */
  #takeOther(item: FrameItem, identity: KnownDevice, itemIndex: number): void {
    const turnAway = (problem: Problem) => this.#turnAway(item, identity, problem, itemIndex, 0, true);
    if (item.kind === 'heartbeat' || item.kind === 'status') {
      const read = readSign(item, identity);
      if ('problem' in read) turnAway(read.problem);
      else this.#sign(item, read);
    } else if (item.kind === 'shadow_reported') {
      const read = readShadowReport(item.payload, this.#reader.limits);
      if ('problem' in read) turnAway(read.problem);
      else {
        this.#sign(item, alive(item, identity));
        this.#reports.push({ identity, item, itemIndex, report: read.report });
      }
    } else if (item.kind === 'command_ack') {
      const read = readCommandAck(item.dialect, item.payload, item.device, this.#reader.limits);
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

/** What the tenant of a device keeps of its readings begins here, in ms since the epoch. */
const oldestOf = ({ receivedAt }: FrameItem, { retentionDays }: DeviceIdentity): number =>
  receivedAt - retentionDays * DAY_MS;
