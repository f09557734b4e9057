import { describe, expect, it } from 'vitest';
import { answersTo, obey, readMessage } from './answers.ts';

const settings = { sample_interval_ms: 1_000 };

describe('a pretend device', () => {
  it('samples as often as it should, as far as it can', () => {
    expect(obey(settings, { desired: { sample_interval_ms: 250, color: 'red' }, version: 1 })).toEqual({
      sample_interval_ms: 250,
    });
    for (const wanted of [99, 60_001, '250', null, Number.NaN])
      expect(obey(settings, { desired: { sample_interval_ms: wanted } })).toBe(settings);
    expect(obey(settings, { desired: [250] })).toBe(settings);
    expect(obey(settings, {})).toBe(settings);
  });

  it('hears a command and then has done it', () => {
    expect(answersTo({ command_id: 'c1', type: 'reboot', params: {} }, 0)).toEqual([
      { command_id: 'c1', status: 'accepted' },
      { command_id: 'c1', status: 'ok', details: { done: 'reboot', at: '1970-01-01T00:00:00.000Z' } },
    ]);
    expect(answersTo({ type: 'reboot' }, 0)).toEqual([]);
  });

  it('passes over what is no object', () => {
    expect(readMessage(Buffer.from('{"a":1}'))).toEqual({ a: 1 });
    for (const text of ['', 'no', '[1]', 'null', '"text"'])
      expect(readMessage(Buffer.from(text))).toBeUndefined();
  });
});
