import type { Connection, Queryable } from '#core/db/pool.ts';
import { findReportVersions, type ReportToStore, storeReports } from '#core/db/shadows.ts';
import type { StoreMessages } from '#core/db/telemetry.ts';
import type { DecodedFrame, ReportRow } from './decoded.ts';
import type { IngestMetrics } from './metrics.ts';

const receiptOf = ({ batchId }: DecodedFrame, { itemIndex }: ReportRow): string => `${batchId}.${itemIndex}`;

/** Takes what devices report into their shadows, in the order of the stream. None is turned away. */
export function createReportStore(metrics: IngestMetrics): StoreMessages<DecodedFrame> {
  return async (connection: Connection, frames: readonly DecodedFrame[]) => {
    const ordered = frames.filter(({ reports }) => reports.length > 0).sort(byPlace);
    if (ordered.length === 0) return [];
    const reports = ordered.flatMap((frame) => frame.reports.map((row) => toStore(frame, row)));
    const outcomes = await storeReports(connection, reports);
    for (const outcome of outcomes) metrics.reports.inc({ outcome: outcome ?? 'gone' });
    return [];
  };
}

const byPlace = (a: DecodedFrame, b: DecodedFrame): number =>
  a.streamedAt - b.streamedAt || a.streamSequence - b.streamSequence;

function toStore(frame: DecodedFrame, row: ReportRow): ReportToStore {
  const { identity, item, report } = row;
  return {
    ...{ ...report, tenantId: identity.tenantId, deviceId: identity.deviceId },
    receivedAt: item.receivedAt,
    // What is sent again is as old as it was.
    ...(item.replay
      ? { streamedAt: item.receivedAt, sequence: 0 }
      : { streamedAt: frame.streamedAt, sequence: frame.streamSequence }),
    receipt: receiptOf(frame, row),
  };
}

/** The version that a report made; undefined for one that changed nothing. */
export type ReportVersion = (frame: DecodedFrame, row: ReportRow) => number | undefined;

/** Looks up what the reports of these frames, all stored, became. */
export async function readReportVersions(
  db: Queryable,
  frames: readonly DecodedFrame[],
): Promise<ReportVersion> {
  const reports = frames.flatMap((frame) =>
    frame.reports.map((row) => ({ deviceId: row.identity.deviceId, receipt: receiptOf(frame, row) })),
  );
  if (reports.length === 0) return () => undefined;
  const versions = await findReportVersions(db, reports);
  return (frame, row) => versions.get(`${row.identity.deviceId}/${receiptOf(frame, row)}`);
}
