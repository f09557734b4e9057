import type { Readable } from 'node:stream';
import { CsvError, parse } from 'csv-parse';
import { FleetgraphError } from '#core/runtime/errors.ts';

export interface CsvLimits {
  readonly maxBytes: number;
  /** Of the file, its header not counted. */
  readonly maxRows: number;
}

/** The file as a whole cannot be taken. */
export class CsvFileError extends FleetgraphError {
  /** Where a spreadsheet shows it; the header is row 1. Undefined for the file as a whole. */
  readonly row: number | undefined;

  constructor(
    code: 'TOO_LARGE' | 'TOO_MANY_ROWS' | 'BAD_CSV' | 'BAD_HEADER' | 'INCOMPLETE',
    message: string,
    row?: number,
  ) {
    super(code, message);
    this.row = row;
  }
}

const MAX_RECORD_BYTES = 65_536;

/**
 * The rows of a comma-separated file (RFC 4180, UTF-8 with or without a byte order mark), the header first, empty ones as `['']`.
 * It is parsed while it arrives, and no more of it is held than the limits allow.
 * @throws CsvFileError, also when the sender breaks off
 */
export function readCsv(source: Readable, limits: CsvLimits): Promise<string[][]> {
  const { promise, resolve, reject } = Promise.withResolvers<string[][]>();
  const rows: string[][] = [];
  let bytes = 0;
  const parser = parse({ bom: true, relax_column_count: true, max_record_size: MAX_RECORD_BYTES });
  const fail = (error: CsvFileError) => {
    source.off('data', take);
    source.resume();
    reject(error);
  };
  const take = (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > limits.maxBytes)
      fail(new CsvFileError('TOO_LARGE', `a file has at most ${limits.maxBytes} bytes`));
    else parser.write(chunk);
  };
  parser.on('data', (row: string[]) => {
    if (rows.length > limits.maxRows)
      fail(new CsvFileError('TOO_MANY_ROWS', `a file has at most ${limits.maxRows} rows below its header`));
    else rows.push(row);
  });
  parser.on('error', (error) => {
    if (!(error instanceof CsvError)) return reject(error);
    fail(new CsvFileError('BAD_CSV', error.message, rows.length + 1));
  });
  parser.on('end', () => resolve(rows));
  source.on('data', take);
  source.once('end', () => parser.end());
  source.once('close', () => {
    if (!source.readableEnded) reject(new CsvFileError('INCOMPLETE', 'the file broke off'));
  });
  source.once('error', () => undefined);
  return promise;
}

/** One cell, quoted where it has to be. */
export const csvCell = (text: string): string =>
  /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
