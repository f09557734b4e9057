import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { CsvFileError, csvCell, readCsv } from './csv.ts';
import { type KnownDevice, planImport } from './plan.ts';
import { readRows } from './rows.ts';

const limits = { maxBytes: 10_000, maxRows: 20 };
const read = (text: string) => readCsv(Readable.from([Buffer.from(text)]), limits);
const rows = async (text: string) => readRows(await read(text));

describe('a file of devices', () => {
  it('is read with quotes, line breaks in cells, a byte order mark and Windows line ends', async () => {
    expect(await read('\ufeffkey,name\r\na,"say ""hi"",\nyou"\r\n\r\nb\r\n')).toEqual([
      ['key', 'name'],
      ['a', 'say "hi",\nyou'],
      [''],
      ['b'],
    ]);
    expect(csvCell('say "hi",\nyou')).toBe('"say ""hi"",\nyou"');
  });

  it('is refused as a whole when it is no such file, or beyond its limits', async () => {
    const refused = async (text: string, over = limits) =>
      readCsv(Readable.from([Buffer.from(text)]), over)
        .then(readRows)
        .then(
          () => 'taken',
          (error: unknown) => (error instanceof CsvFileError ? [error.code, error.row] : error),
        );
    expect(await refused('key\na\n"b')).toEqual(['BAD_CSV', 3]);
    expect(await refused(`key\n${'a\n'.repeat(21)}`)).toEqual(['TOO_MANY_ROWS', undefined]);
    expect(await refused('key\n'.repeat(9), { maxBytes: 35, maxRows: 100 })).toEqual([
      'TOO_LARGE',
      undefined,
    ]);
    for (const header of ['', 'name', 'key,colour', 'key,KEY', 'key;name'])
      expect(await refused(`${header}\na,b\n`)).toEqual(['BAD_HEADER', 1]);
  });

  it('says what is wrong with each row, by row and column, and takes the others', async () => {
    const { good, issues } = await rows(
      [
        'Key,Serial Number,latitude,longitude,tags,attributes,expected_interval_seconds',
        'a,S-1,1.5,2,one; two ;one,"{""floor"":3}",30',
        ',S-2',
        'b c',
        'c,,1',
        'd,,91,0',
        'e,,x,0',
        'f,,,,,nonsense',
        'a',
        'g,,,,,[1]',
        'h,1,2,3,4,{},5,6',
        'i,,,,,,0',
      ].join('\n'),
    );
    expect(good).toEqual([
      {
        row: 2,
        device: {
          ...{ key: 'a', serialNumber: 'S-1', tags: ['one', 'two'], attributes: { floor: 3 } },
          ...{ location: { latitude: 1.5, longitude: 2 }, expectedIntervalSeconds: 30 },
        },
      },
    ]);
    expect(issues.map(({ row, column, code }) => [row, column, code])).toEqual([
      [3, 'key', 'MISSING'],
      [4, 'key', 'BAD_VALUE'],
      [5, 'longitude', 'MISSING'],
      [6, 'latitude', 'BAD_VALUE'],
      [7, 'latitude', 'NOT_A_NUMBER'],
      [8, 'attributes', 'BAD_JSON'],
      [9, 'key', 'DUPLICATE_KEY'],
      [10, 'attributes', 'BAD_VALUE'],
      [11, null, 'TOO_MANY_CELLS'],
      [12, 'expected_interval_seconds', 'BAD_VALUE'],
    ]);
  });

  it('is planned by what there is: made, changed where a cell says otherwise, or left', async () => {
    const known: KnownDevice = {
      ...{ id: 7, key: 'old', name: 'Old', status: 'ACTIVE', siteId: 1, tags: ['x'], attributes: { a: 1 } },
      ...{ latitude: null, longitude: null, serialNumber: null, model: 'M', expectedIntervalSeconds: 60 },
    };
    const devices = new Map([
      ['old', known],
      ['gone', { ...known, key: 'gone', status: 'DECOMMISSIONED' as const }],
    ]);
    const { good } = await rows('key,name,site\nnew,,hall\nold,Older,\ngone,,\nnowhere,,attic\n');
    const plan = (existing: 'SKIP' | 'FAIL' | 'UPDATE') =>
      planImport(good, devices, new Map([['hall', 3]]), existing);
    const { create, update, keep, issues } = plan('UPDATE');
    expect(create).toMatchObject([{ key: 'new', name: 'new', siteId: 3, expectedIntervalSeconds: 60 }]);
    expect(update).toMatchObject([
      { before: known, after: { name: 'Older', siteId: 1, tags: ['x'], attributes: { a: 1 }, model: 'M' } },
    ]);
    expect(keep).toEqual([]);
    expect(issues.map(({ row, code }) => [row, code])).toEqual([
      [4, 'DECOMMISSIONED'],
      [5, 'UNKNOWN_SITE'],
    ]);
    expect(plan('SKIP')).toMatchObject({ update: [], keep: [{ key: 'old' }] });
    expect(plan('FAIL').issues.map(({ code }) => code)).toEqual(['EXISTS', 'DECOMMISSIONED', 'UNKNOWN_SITE']);
    expect(
      planImport((await rows('key,name\nold,Old')).good, devices, new Map(), 'UPDATE').keep,
    ).toHaveLength(1);
  });
});
