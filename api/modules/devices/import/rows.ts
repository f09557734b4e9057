import { ValidationFault } from '#api/graphql/errors.ts';
import { type DeviceCreate, parseDeviceCreate } from '../input.ts';
import { CsvFileError } from './csv.ts';

/** What a column says of a device. */
const COLUMNS = [
  'key',
  'name',
  'site',
  'tags',
  'serial_number',
  'model',
  'latitude',
  'longitude',
  'expected_interval_seconds',
  'attributes',
] as const;
type Column = (typeof COLUMNS)[number];

/** Something that is wrong with a row; the others are not concerned. */
export interface RowIssue {
  /** Where a spreadsheet shows it; the header is row 1. */
  readonly row: number;
  /** The device's key, where it could be read. */
  readonly key: string | null;
  readonly column: string | null;
  /** Stable, in SCREAMING_SNAKE. */
  readonly code: string;
  readonly message: string;
}

/** A row that says what it must. */
export interface DeviceRow {
  readonly row: number;
  /** Absent and null: the cell is empty, or there is no such column. */
  readonly device: DeviceCreate;
}

/**
 * Reads a header and what stands below it.
 * @throws CsvFileError for a header with an unknown, doubled or missing column
 */
export function readRows(rows: readonly (readonly string[])[]): {
  readonly good: DeviceRow[];
  readonly issues: RowIssue[];
} {
  const [header, ...below] = rows;
  const columns = readHeader(header ?? []);
  const good: DeviceRow[] = [];
  const issues: RowIssue[] = [];
  const seen = new Map<string, number>();
  for (const [index, cells] of below.entries()) {
    const row = index + 2;
    if (cells.every((cell) => cell.trim() === '')) continue;
    const read = readRow(columns, cells, row);
    if ('issues' in read) {
      issues.push(...read.issues);
      continue;
    }
    const { key } = read.device;
    const first = seen.get(key);
    if (first === undefined) {
      seen.set(key, row);
      good.push(read);
    } else {
      const message = `row ${first} has the same key`;
      issues.push({ row, key, column: 'key', code: 'DUPLICATE_KEY', message });
    }
  }
  return { good, issues };
}

const squeeze = (name: string): string => name.toLowerCase().replace(/[^a-z]/g, '');
const BY_NAME = new Map(COLUMNS.map((column) => [squeeze(column), column]));

function readHeader(header: readonly string[]): readonly Column[] {
  if (header.length === 1 && header[0]?.includes(';'))
    throw new CsvFileError('BAD_HEADER', 'separate the columns by commas', 1);
  const columns = header.map((name) => {
    const column = BY_NAME.get(squeeze(name));
    if (column) return column;
    const message = `there is no column "${name.slice(0, 40)}"; there are ${COLUMNS.join(', ')}`;
    throw new CsvFileError('BAD_HEADER', message, 1);
  });
  const doubled = columns.find((column, index) => columns.indexOf(column) !== index);
  if (doubled) throw new CsvFileError('BAD_HEADER', `the column ${doubled} is there twice`, 1);
  if (!columns.includes('key')) throw new CsvFileError('BAD_HEADER', 'there is no column key', 1);
  return columns;
}

function readRow(
  columns: readonly Column[],
  cells: readonly string[],
  row: number,
): DeviceRow | { readonly issues: RowIssue[] } {
  const issues: RowIssue[] = [];
  const values = new Map<Column, string>();
  for (const [index, column] of columns.entries()) {
    const cell = cells[index]?.trim() ?? '';
    if (cell !== '') values.set(column, cell);
  }
  const key = values.get('key')?.slice(0, 128) ?? null;
  const complain = (column: string | null, code: string, message: string) =>
    issues.push({ row, key, column, code, message });
  if (cells.length > columns.length)
    complain(null, 'TOO_MANY_CELLS', `the header has ${columns.length} columns, this row ${cells.length}`);
  const number = (column: Column): number | undefined => {
    const text = values.get(column);
    if (text === undefined) return undefined;
    if (/^[+-]?\d{1,15}(\.\d{1,15})?$/.test(text)) return Number(text);
    complain(column, 'NOT_A_NUMBER', 'must be a number, with a point and without separators');
    return undefined;
  };
  const [latitude, longitude] = [number('latitude'), number('longitude')];
  if (values.has('latitude') !== values.has('longitude'))
    complain(values.has('latitude') ? 'longitude' : 'latitude', 'MISSING', 'a location needs both');
  const input = {
    key: key === null ? '' : (values.get('key') ?? ''),
    name: values.get('name'),
    siteKey: values.get('site'),
    tags: values
      .get('tags')
      ?.split(';')
      .flatMap((tag) => tag.trim() || []),
    serialNumber: values.get('serial_number'),
    model: values.get('model'),
    expectedIntervalSeconds: number('expected_interval_seconds'),
    attributes: readJson(values.get('attributes'), (message) => complain('attributes', 'BAD_JSON', message)),
    ...(latitude !== undefined && longitude !== undefined && { location: { latitude, longitude } }),
  };
  if (key === null) complain('key', 'MISSING', 'a device needs a key');
  if (issues.length > 0) return { issues };
  try {
    return { row, device: parseDeviceCreate(input) };
  } catch (error) {
    if (!(error instanceof ValidationFault)) throw error;
    for (const { path, message } of error.issues) complain(columnOf(path), 'BAD_VALUE', message);
    return { issues };
  }
}

function readJson(text: string | undefined, complain: (message: string) => void): unknown {
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    complain('must be a JSON object');
    return undefined;
  }
}

/** The column behind a field of the input: `["input", "siteKey"]` is `site`. */
function columnOf(path: readonly string[]): string | null {
  const [, field = '', part = ''] = path;
  if (field === 'siteKey') return 'site';
  return BY_NAME.get(squeeze(field === 'location' ? part : field)) ?? null;
}
