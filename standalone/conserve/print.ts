import type { DatabaseAccount } from './database.ts';
import type { Verdict } from './judge.ts';
import type { StreamState } from './stream.ts';

/** The outcome as lines for a terminal. */
export function printVerdict(
  verdict: Verdict,
  stream: StreamState,
  { sequences, processes }: DatabaseAccount,
  days: number,
): string {
  const tenants = verdict.tenants.map((account) => [
    account.tenant,
    ...[account.accepted, account.stored, account.duplicate, account.quarantined].map(number),
    ...[account.deadLettered, account.inFlight, account.difference].map(number),
    number(account.rows.expected),
    number(account.rows.found),
  ]);
  const head = ['tenant', 'accepted', 'stored', 'duplicate', 'quarantined', 'dead letters', 'in flight'];
  return [
    `Readings of the last ${days === 1 ? 'day' : `${days} days`} (UTC)`,
    '',
    ...table(1, [[...head, 'difference', 'rows due', 'rows found'], ...tenants]),
    '',
    ...table(2, [
      ['process', '', 'frames', 'messages'],
      ...processes.map((each) => [each.process, each.role, number(each.frames), number(each.messages)]),
    ]),
    '',
    `Stream TELEMETRY: sequences ${number(sequences.first ?? stream.lastSequence)} to ${number(stream.lastSequence)}, ` +
      `${number(sequences.settled)} frames with an outcome, ${number(stream.pending.length)} on the stream, ` +
      `${number(sequences.missingCount)} missing, ${number(sequences.doubled)} doubled`,
    '',
    ...(verdict.differences.length === 0
      ? ['Everything that was accepted has its place.']
      : verdict.differences.map((difference) => `DIFFERENCE  ${difference}`)),
    '',
  ].join('\n');
}

const number = (value: number): string => value.toLocaleString('en').replaceAll(',', ' ');

/** Columns padded to the same width: the first ones are text, the others numbers. */
function table(textColumns: number, rows: readonly (readonly string[])[]): string[] {
  const width = (column: number) => Math.max(...rows.map((row) => row[column]?.length ?? 0));
  const pad = (cell: string, column: number) =>
    column < textColumns ? cell.padEnd(width(column)) : cell.padStart(width(column));
  return rows.map((row) => `  ${row.map(pad).join('  ')}`.trimEnd());
}
