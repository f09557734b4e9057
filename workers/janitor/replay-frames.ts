import { createHash } from 'node:crypto';
import {
  type FrameItem,
  FrameWriter,
  itemBytes,
  itemKind,
  itemSource,
  KEY_HASH_BYTES,
} from '#core/bus/messages.ts';
import {
  UPLINK_STREAMS,
  type UplinkStream,
  uplinkStreamOf,
  uplinkSubject,
} from '#core/bus/uplink-streams.ts';
import type { QuarantinedRow, QuarantineJobFix, ReplayFrames } from '#core/db/quarantine-jobs.ts';
import { readDialect } from '#core/fleet/dialects/dialect.ts';
import { fixPayload, type PayloadFix } from '#core/fleet/payload-fix.ts';
import { shardOf } from '#core/fleet/shards.ts';

const MAX_FRAME_BYTES = 128 * 1024;

/**
 * Puts quarantined messages of a tenant into frames, as they arrived or made right, with the time at which they first arrived.
 * What is sent as it was keeps the id that it would have had, so that a device's own resend is recognised; what was changed has
 * an id made from its row, so that it is one reading however often it is sent.
 * @param now in ms since the epoch
 */
export function toReplayFrames(
  tenant: string,
  rows: readonly QuarantinedRow[],
  fix: QuarantineJobFix | undefined,
  shards: number,
  now: number,
): ReplayFrames {
  const shard = shardOf(tenant, shards);
  const messages: ReplayFrames['messages'][number][] = [];
  const impossible: string[] = [];
  const payloadFix = toPayloadFix(fix);
  const writers = new Map<UplinkStream, FrameWriter>();
  const flush = (stream: UplinkStream) => {
    const writer = writers.get(stream);
    if (writer) messages.push({ shard, subject: uplinkSubject(stream, shard), payload: writer.finish() });
    writers.delete(stream);
  };
  for (const row of rows) {
    const item = toItem(tenant, row, payloadFix);
    if (!item) {
      impossible.push(row.id);
      continue;
    }
    const stream = uplinkStreamOf(item.kind);
    if ((writers.get(stream)?.bytes ?? 0) + itemBytes(item) > MAX_FRAME_BYTES) flush(stream);
    const writer = writers.get(stream) ?? new FrameWriter(now, 16 * 1024);
    writers.set(stream, writer);
    writer.add(item);
  }
  for (const stream of UPLINK_STREAMS) flush(stream);
  return { messages, impossible };
}

const toPayloadFix = (fix: QuarantineJobFix | undefined): PayloadFix | undefined =>
  fix && 'payload' in fix ? { payload: Buffer.from(fix.payload, 'base64') } : fix;

function toItem(tenant: string, row: QuarantinedRow, fix: PayloadFix | undefined): FrameItem | undefined {
  const kind = itemKind(row.kind);
  const source = itemSource(row.source);
  const dialect = readDialect(row.dialect);
  if (!kind || !source || !dialect) return undefined;
  const part = row.whole ? undefined : row.part;
  const fixed = fixPayload({ payload: row.payload, field: row.field ?? undefined, part }, fix);
  if ('problem' in fixed) return undefined;
  return {
    ...{ tenant, device: row.device_key, kind, source, dialect, dup: false },
    receivedAt: row.received_at.getTime(),
    payload: fixed.payload,
    keyHash: fix ? rowHash(row.id) : (row.key_hash ?? undefined),
    userProperties: row.user_properties ?? undefined,
    replay: { quarantineId: row.id, part },
  };
}

const rowHash = (id: string): Buffer =>
  createHash('sha256').update(`quarantine/${id}`).digest().subarray(0, KEY_HASH_BYTES);
