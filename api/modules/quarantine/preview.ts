import { readCommandAck } from '#core/fleet/command-acks.ts';
import { readDialect } from '#core/fleet/dialects/dialect.ts';
import { readMessage } from '#core/fleet/dialects/read-message.ts';
import { fixPayload, type PayloadFix } from '#core/fleet/payload-fix.ts';
import { readShadowReport } from '#core/fleet/shadow.ts';
import { DEFAULT_TELEMETRY_LIMITS, type Problem } from '#core/fleet/telemetry.ts';
import type { QuarantineRow } from './store.ts';

/** What would become of a message that is sent again now. */
export interface Forecast {
  readonly row: QuarantineRow;
  readonly outcome: 'WOULD_BE_ACCEPTED' | 'WOULD_BE_QUARANTINED' | 'CANNOT_BE_FIXED';
  readonly reason: string | null;
  readonly detail: string | null;
  readonly field: string | null;
  /** The payload as it would be sent. */
  readonly payload: Buffer;
}

/** What is known of the sender today. */
export interface Sender {
  readonly deviceStatus: 'ACTIVE' | 'DISABLED' | 'DECOMMISSIONED' | undefined;
  readonly retentionDays: number;
}

const DAY_MS = 86_400_000;

/** Goes through what ingest would, as far as it can be known beforehand: whether a reading is there already cannot. Pure. */
export function forecast(row: QuarantineRow, fix: PayloadFix | undefined, sender: Sender): Forecast {
  const part = row.whole ? undefined : row.part;
  const fixed = fixPayload({ payload: row.payload, field: row.field ?? undefined, part }, fix);
  if ('problem' in fixed) {
    const nowhere = { reason: null, field: null, payload: row.payload };
    return { row, outcome: 'CANNOT_BE_FIXED', detail: fixed.problem, ...nowhere };
  }
  const payload = Buffer.from(fixed.payload);
  const problem = senderProblem(sender) ?? payloadProblem(row, payload, part, sender);
  if (!problem)
    return { row, outcome: 'WOULD_BE_ACCEPTED', reason: null, detail: null, field: null, payload };
  const { reason, detail, field } = problem;
  return { row, outcome: 'WOULD_BE_QUARANTINED', reason, detail, field: field ?? null, payload };
}

function senderProblem({ deviceStatus }: Sender): Problem | undefined {
  switch (deviceStatus) {
    case undefined:
      return { reason: 'UNKNOWN_DEVICE', detail: 'no such device' };
    case 'DECOMMISSIONED':
      return { reason: 'DEVICE_DECOMMISSIONED', detail: 'the device was decommissioned' };
    case 'DISABLED':
      return { reason: 'DEVICE_DISABLED', detail: 'the device is disabled' };
    case 'ACTIVE':
      return undefined;
  }
}

function payloadProblem(
  row: QuarantineRow,
  payload: Buffer,
  part: number | undefined,
  { retentionDays }: Sender,
): Problem | undefined {
  if (row.kind === 'heartbeat' || row.kind === 'status') return undefined;
  const dialect = readDialect(row.dialect);
  if (row.kind === 'shadow_reported') {
    const read = readShadowReport(payload, DEFAULT_TELEMETRY_LIMITS);
    return 'problem' in read ? read.problem : undefined;
  }
  if (row.kind === 'command_ack' && dialect) {
    // Whether there is such a command is for the database to say.
    const read = readCommandAck(dialect, payload, row.deviceKey, DEFAULT_TELEMETRY_LIMITS);
    return 'problem' in read ? read.problem : undefined;
  }
  if (row.kind !== 'telemetry' || !dialect)
    return { reason: 'NOT_SUPPORTED', detail: `${row.kind} is not supported yet` };
  const receivedAt = row.receivedAt.getTime();
  const parts = readMessage(dialect, payload, {
    ...{ device: row.deviceKey, receivedAt, dup: false, limits: DEFAULT_TELEMETRY_LIMITS },
    oldestTs: receivedAt - retentionDays * DAY_MS,
  });
  const chosen = part === undefined || parts.length === 1 ? parts : parts.slice(part, part + 1);
  if (chosen.length === 0)
    return { reason: 'BAD_SHAPE', detail: `the message has no reading ${part} any more` };
  for (const each of chosen) if ('problem' in each) return each.problem;
  return undefined;
}
