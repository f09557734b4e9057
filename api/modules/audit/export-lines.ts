import type { AuditRow } from './store.ts';

const COLUMNS: readonly (readonly [string, (row: AuditRow) => string])[] = [
  ['at', (row) => row.at.toISOString()],
  ['actor_kind', (row) => row.actorKind],
  ['actor_id', (row) => row.actorId],
  ['actor_name', (row) => row.actorName],
  ['action', (row) => row.action],
  ['target_type', (row) => row.targetType],
  ['target_id', (row) => row.targetId],
  ['target_label', (row) => row.targetLabel],
  ['before', (row) => toJson(row.before)],
  ['after', (row) => toJson(row.after)],
  ['ip', (row) => row.ip ?? ''],
  ['request_id', (row) => row.requestId],
];

/** The first line (RFC 4180). */
export const csvHead = `${COLUMNS.map(([name]) => name).join(',')}\r\n`;

/** An entry as a line of CSV (RFC 4180). What a spreadsheet would take for a formula begins with an apostrophe. */
export const csvLine = (row: AuditRow): string =>
  `${COLUMNS.map(([, read]) => toCell(read(row))).join(',')}\r\n`;

/** An entry as a line of JSON, its fields named as in the API. */
export function jsonLine(row: AuditRow): string {
  const { at, action, before, after, ip, requestId } = row;
  const actor = { kind: row.actorKind, id: row.actorId, name: row.actorName };
  const target = { type: row.targetType, id: row.targetId, label: row.targetLabel };
  return `${JSON.stringify({ at, action, actor, target, before, after, ip, requestId })}\n`;
}

const toJson = (value: unknown): string => (value === null ? '' : JSON.stringify(value));

function toCell(text: string): string {
  const harmless = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless;
}
