import { commandEvents } from '#core/bus/commands.ts';
import { applyHappenings, type CommandHappening } from '#core/db/command-happenings.ts';
import { writeOutbox } from '#core/db/outbox.ts';
import { runOn } from '#core/db/pool.ts';
import type { StoreMessages } from '#core/db/telemetry.ts';
import { judgeResponse, type SchemaChecks } from '#core/fleet/command-checks.ts';
import type { AckRow, DecodedFrame } from './decoded.ts';
import type { IngestMetrics } from './metrics.ts';
import { quarantineRow } from './rows.ts';

export interface AckDeps {
  readonly schemaChecks: SchemaChecks;
  readonly shardOf: (tenant: string) => number;
  readonly metrics: Pick<IngestMetrics, 'commandChanges' | 'commandAnswerSeconds'>;
}

/**
 * Takes commands further by what devices say of them and by what was handed to devices, in one transaction with the events about
 * it. What is about no command of its device is turned away.
 */
export function createAckStore(deps: AckDeps): StoreMessages<DecodedFrame> {
  return async (connection, frames) => {
    const entries = frames.flatMap((frame) => [
      ...frame.sents.map((sent) => ({ frame, row: undefined, happening: toSent(sent) })),
      ...frame.acks.map((row) => ({ frame, row, happening: toAnswer(row) })),
    ]);
    if (entries.length === 0) return [];
    const { changes, unknown } = await applyHappenings(
      runOn(connection),
      entries.map(({ happening }) => happening),
      (schema, details) => judgeResponse(schema, details, deps.schemaChecks),
    );
    await writeOutbox(connection, commandEvents(changes, deps.shardOf));
    for (const { status, event, createdAt, acknowledgedAt, at } of changes) {
      deps.metrics.commandChanges.inc({ status });
      if (event !== 'sent' && acknowledgedAt?.getTime() === at)
        deps.metrics.commandAnswerSeconds.observe(Math.max(0, at - createdAt.getTime()) / 1_000);
    }
    return unknown.flatMap((place) => {
      const { frame, row } = entries[place] ?? {};
      return frame && row ? [{ frame, entry: row.entry, row: toQuarantine(row) }] : [];
    });
  };
}

const toSent = ({ identity, commandId, at }: DecodedFrame['sents'][number]): CommandHappening => ({
  ...{ tenantId: identity.tenantId, deviceId: identity.deviceId, commandId, at },
  ...{ event: 'sent', details: undefined },
});

const toAnswer = ({ identity, item, ack }: AckRow): CommandHappening => ({
  ...{ tenantId: identity.tenantId, deviceId: identity.deviceId, commandId: ack.commandId },
  ...{ event: ack.status, at: item.receivedAt },
  details: ack.details === undefined || ack.details === null ? undefined : JSON.stringify(ack.details),
});

function toQuarantine({ identity, item, itemIndex, ack }: AckRow) {
  const detail = `the device was sent no command ${ack.commandId}`;
  const problem = { reason: 'UNKNOWN_COMMAND' as const, detail, field: 'command_id' };
  return quarantineRow(item, identity, problem, { itemIndex, part: 0, whole: true });
}
