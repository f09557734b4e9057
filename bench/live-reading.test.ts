import { describe, expect, it } from 'vitest';
import { readingOf } from './live-reading.ts';

const answer = (telemetry: object) =>
  JSON.stringify({ id: '1', type: 'next', payload: { data: { telemetry } } });

const reading = {
  __typename: 'TelemetryReading',
  at: '2026-11-21T13:45:06.789Z',
  messageId: '-9007199254740993',
  metrics: { a: 1, text: '},"device":{"key":"other"' },
  device: { key: 'meter-1' },
};

describe('an answer to a subscriber', () => {
  it('is read as its JSON says', () => {
    expect(readingOf(answer(reading))).toEqual({
      at: Date.parse(reading.at),
      messageId: reading.messageId,
      device: 'meter-1',
    });
    for (const at of ['2026-12-01T00:00:00.000Z', '2026-11-30T23:59:59.999Z', '2027-01-01T09:08:07.010Z'])
      expect(readingOf(answer({ ...reading, at }))?.at).toBe(Date.parse(at));
  });

  it('is left to JSON when it is anything else', () => {
    const failed = { id: '1', type: 'next', payload: { data: { telemetry: reading }, errors: [{}] } };
    const others = [answer({ __typename: 'StreamGap' }), JSON.stringify(failed), '{"type":"ping"}', ''];
    for (const text of others) expect(readingOf(text)).toBeUndefined();
  });
});
