import { describe, expect, it } from 'vitest';
import { encodeGlobalId } from '#api/graphql/global-ids.ts';
import { lowHalf, readMessageName } from './name.ts';

describe('the name of a message', () => {
  it.each([
    [
      '019b0000-0000-7000-8000-00000000000A.3',
      { kind: 'receipt', batchId: '019b0000-0000-7000-8000-00000000000a', index: 3 },
    ],
    ['-42', { kind: 'number', messageId: '-42' }],
    [
      encodeGlobalId('Reading', '7.1767000000000.-9'),
      { kind: 'reading', deviceId: 7, ts: new Date(1_767_000_000_000), messageId: '-9' },
    ],
    [encodeGlobalId('QuarantinedMessage', '5'), { kind: 'quarantined', id: '5' }],
  ])('is read from %s', (text, name) => {
    expect(readMessageName(text)).toEqual(name);
  });

  it.each([
    '',
    'x',
    '019b0000-0000-4000-8000-00000000000a.3',
    '019b0000-0000-7000-8000-00000000000a',
    '99999999999999999999',
    encodeGlobalId('Device', '5'),
    encodeGlobalId('Reading', '7.99999999999999999.1'),
    encodeGlobalId('Reading', '7.1.99999999999999999999'),
  ])('is none in %j', (text) => {
    expect(readMessageName(text)).toBeUndefined();
  });

  it('has a low half, whatever its sign', () => {
    expect([lowHalf('7'), lowHalf('-1'), lowHalf('4294967297')]).toEqual(['7', '4294967295', '1']);
  });
});
