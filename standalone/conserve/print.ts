import type { DatabaseAccount, SequenceAccount } from './database.ts';
import type { Verdict } from './judge.ts';
import type { StreamState } from './stream.ts';

/** The outcome as lines for a terminal. */
export function printVerdict(
  verdict: Verdict,
  streams: readonly StreamState[],
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
    ...streams.map((stream, index) => streamLine(stream, sequences[index])),
    '',
    ...(verdict.differences.length === 0
      ? ['Everything that was accepted has its place.']
      : verdict.differences.map((difference) => `DIFFERENCE  ${difference}`)),
    '',
  ].join('\n');
}

function streamLine(stream: StreamState, sequences: SequenceAccount | undefined): string {
  const { name, lastSequence, pending } = stream;
  if (!sequences || lastSequence === 0) return `Stream ${name}: nothing so far`;
  const { first = lastSequence, settled, missingCount, doubled } = sequences;
  return (
    `Stream ${name}: sequences ${number(first)} to ${number(lastSequence)}, ` +
    `${number(settled)} frames with an outcome, ${number(pending.length)} on the stream, ` +
    `${number(missingCount)} missing, ${number(doubled)} doubled`
  );
}

const number = (value: number): string => value.toLocaleString('en').replaceAll(',', ' ');

/** Columns padded to the same width: the first ones are text, the others numbers. */
function table(textColumns: number, rows: readonly (readonly string[])[]): string[] {
  const width = (column: number) => Math.max(...rows.map((row) => row[column]?.length ?? 0));
  const pad = (cell: string, column: number) =>
    column < textColumns ? cell.padEnd(width(column)) : cell.padStart(width(column));
  return rows.map((row) => `  ${row.map(pad).join('  ')}`.trimEnd());
}
