import { type Operation, requirePermission } from '#api/graphql/context.ts';
import { badInput } from '#api/graphql/errors.ts';
import type { Page, PageArgs } from '#api/graphql/paging.ts';
import { readManifestFlags } from '#core/db/manifest.ts';
import { readMessage } from '#core/fleet/dialects/read-message.ts';
import { messageIdText } from '#core/fleet/message-id.ts';
import { DEFAULT_TELEMETRY_LIMITS } from '#core/fleet/telemetry.ts';
import { uuidTime } from '#core/fleet/uuid.ts';
import type { PendingFrame, PendingItem } from '../conservation/service.ts';
import { findDeviceBy } from '../devices/service.ts';
import { findQuarantined, findQuarantinedOf, type QuarantineRow } from '../quarantine/service.ts';
import type { ReadingRow } from '../telemetry/service.ts';
import { lowHalf, readMessageName } from './name.ts';
import {
  type DeadLetterRow,
  findOriginal,
  findPartOf,
  findReadingByNumber,
  findStoredReading,
  listDeadLetterRows,
  type PartRow,
  readDeadLetter,
  readFrame,
  readParts,
  readReading,
} from './store.ts';
import type { Trace, TracePart } from './trace.ts';

/** How far back a message id is looked for. */
const SEARCH_DAYS = 31;
const DAY_MS = 86_400_000;

/**
 * Where a message of the viewer's tenant is; undefined when there is none by that name, or it is somebody else's.
 * @throws GraphQLError with code BAD_USER_INPUT for a name that is none, or a message id without its device
 */
export async function traceMessage(
  operation: Operation,
  id: string,
  deviceKey: string | null | undefined,
): Promise<Trace | undefined> {
  requirePermission(operation, 'telemetry.read');
  const name = readMessageName(id);
  switch (name?.kind) {
    case undefined:
      throw badInput(
        'id is a receipt, the id of a reading or a quarantined message, or a message id with its device',
      );
    case 'receipt':
      return traceReceipt(operation, name.batchId, name.index);
    case 'quarantined': {
      const row = await findQuarantined(operation, name.id);
      return row && traceReceipt(operation, row.batchId, row.itemIndex);
    }
    case 'reading': {
      const reading = await readReading(operation, name.deviceId, name.ts, name.messageId);
      return reading && traceReading(operation, reading);
    }
    case 'number':
      if (deviceKey == null) throw badInput('a message id needs the key of its device');
      return traceNumber(operation, name.messageId, deviceKey);
  }
}

/** Messages of the tenant that nobody could use, newest first. */
export async function listDeadLetters(operation: Operation, args: PageArgs): Promise<Page<DeadLetterRow>> {
  requirePermission(operation, 'telemetry.read');
  return listDeadLetterRows(operation, args);
}

async function traceReceipt(
  operation: Operation,
  batchId: string,
  index: number,
): Promise<Trace | undefined> {
  const stored = await traceStored(operation, batchId, index);
  if (stored) return stored;
  const { frames } = await operation.platform.inFlight.read(operation.viewer.tenantSlug);
  const frame = frames.find((each) => each.batchId === batchId);
  const pending = frame?.items.find((each) => each.index === index);
  if (frame && pending) return tracePending(frame, pending);
  // What was committed while we looked at the stream is on neither side of the first look.
  await operation.read.release();
  return traceStored(operation, batchId, index);
}

async function traceStored(operation: Operation, batchId: string, index: number): Promise<Trace | undefined> {
  const framedAt = new Date(uuidTime(batchId));
  const quarantined = await findQuarantinedOf(operation, batchId, index);
  const parts = await readParts(operation, framedAt, batchId, index);
  const deadLetter = await readDeadLetter(operation, batchId, index);
  const [first] = parts;
  const [turnedAway] = quarantined;
  if (!first && !turnedAway && !deadLetter) return undefined;
  const frame = first ?? (await readFrame(operation, framedAt, batchId));
  const traced = first
    ? await Promise.all(parts.map((part) => tracePart(operation, part, quarantined, deadLetter)))
    : [...quarantined.map(quarantinedPart), ...(deadLetter ? [deadPart(deadLetter)] : [])];
  const flags = first && readManifestFlags(first.flags);
  const reading = traced.find((part) => part.state === 'STORED')?.reading;
  return {
    receipt: `${batchId}.${index}`,
    deviceId: first?.deviceId ?? turnedAway?.deviceId ?? undefined,
    deviceKey: turnedAway?.deviceKey ?? deadLetter?.deviceKey ?? undefined,
    kind: flags?.kind ?? turnedAway?.kind,
    source: flags?.source ?? turnedAway?.source,
    receivedAt: reading?.receivedAt ?? turnedAway?.receivedAt,
    framedAt,
    origin: frame?.origin ?? undefined,
    stream: frame?.stream ?? deadLetter?.stream,
    sequence: frame?.sequence ?? deadLetter?.sequence,
    streamedAt: frame?.streamedAt ?? undefined,
    worker: frame?.worker ?? undefined,
    storedAt: frame?.storedAt ?? turnedAway?.storedAt ?? deadLetter?.createdAt,
    publishedAt: frame?.publishedAt ?? undefined,
    payload: turnedAway?.payload ?? deadLetter?.payload,
    parts: traced,
  };
}

const NOTHING = { reading: undefined, quarantined: undefined, deadLetter: undefined };

const quarantinedPart = (row: QuarantineRow): TracePart => ({
  ...{ ...NOTHING, part: row.part, state: 'QUARANTINED', quarantined: row },
});
const deadPart = (deadLetter: DeadLetterRow): TracePart => ({
  ...{ ...NOTHING, part: 0, state: 'DEAD_LETTERED', deadLetter },
});

async function tracePart(
  operation: Operation,
  row: PartRow,
  quarantined: readonly QuarantineRow[],
  deadLetter: DeadLetterRow | undefined,
): Promise<TracePart> {
  const { part } = row;
  const { fate: state } = readManifestFlags(row.flags);
  switch (state) {
    case 'STORED':
      return { ...NOTHING, part, state, reading: await findStoredReading(operation, row) };
    case 'DUPLICATE':
      return { ...NOTHING, part, state, reading: await findOriginal(operation, row) };
    case 'QUARANTINED': {
      // The replay of one reading keeps that reading's number.
      const found = quarantined.find((each) => each.part === part) ?? quarantined[0];
      return { ...NOTHING, part, state, quarantined: found };
    }
    case 'DEAD_LETTERED':
      return { ...NOTHING, part, state, deadLetter };
    case 'SIGN_OF_LIFE':
      return { ...NOTHING, part, state };
  }
}

function tracePending(frame: PendingFrame, { item, index }: PendingItem): Trace {
  return {
    receipt: `${frame.batchId}.${index}`,
    deviceId: undefined,
    deviceKey: item.device,
    kind: item.kind,
    source: item.source,
    receivedAt: new Date(item.receivedAt),
    framedAt: new Date(frame.framedAt),
    origin: frame.origin,
    stream: frame.stream,
    sequence: frame.sequence,
    streamedAt: new Date(frame.streamedAt),
    worker: undefined,
    storedAt: undefined,
    publishedAt: undefined,
    payload: item.payload,
    parts: [{ ...NOTHING, part: 0, state: 'IN_FLIGHT' }],
  };
}

async function traceReading(operation: Operation, reading: ReadingRow): Promise<Trace> {
  const { deviceId, messageId, storedAt } = reading;
  const part = await findPartOf(operation, storedAt, deviceId, lowHalf(messageId));
  const trace = part && (await traceStored(operation, part.batchId, part.index));
  if (trace) return trace;
  // Its frame is not kept any more: the row is what is left.
  const unknown = { receipt: undefined, deviceKey: undefined, source: undefined, framedAt: undefined };
  const gone = {
    origin: undefined,
    stream: undefined,
    sequence: undefined,
    streamedAt: undefined,
    worker: undefined,
  };
  return {
    ...{ ...unknown, ...gone, deviceId, kind: 'telemetry', receivedAt: reading.receivedAt, storedAt },
    ...{ publishedAt: undefined, payload: undefined },
    parts: [{ ...NOTHING, part: 0, state: 'STORED', reading }],
  };
}

async function traceNumber(
  operation: Operation,
  messageId: string,
  deviceKey: string,
): Promise<Trace | undefined> {
  const device = await findDeviceBy(operation, { key: deviceKey });
  if (!device) return undefined;
  const since = new Date(Date.now() - SEARCH_DAYS * DAY_MS);
  const reading = await findReadingByNumber(operation, device.id, messageId, since);
  if (reading) return traceReading(operation, reading);
  const { frames } = await operation.platform.inFlight.read(operation.viewer.tenantSlug);
  for (const frame of frames) {
    const pending = frame.items.find(({ item }) => item.device === deviceKey && hasNumber(item, messageId));
    if (pending)
      return (await traceStored(operation, frame.batchId, pending.index)) ?? tracePending(frame, pending);
  }
  return undefined;
}

function hasNumber({ kind, dialect, payload, ...item }: PendingItem['item'], messageId: string): boolean {
  if (kind !== 'telemetry') return false;
  const context = { ...item, oldestTs: 0, limits: DEFAULT_TELEMETRY_LIMITS };
  return readMessage(dialect, payload, context).some(
    (part) => 'reading' in part && messageIdText(part.reading.id) === messageId,
  );
}
