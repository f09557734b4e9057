import { describe, expect, it } from 'vitest';
import {
  advance,
  initialLiveState,
  type LiveInput,
  type LiveState,
  readStreamNote,
  resumeVariables,
} from './resume.ts';

function run(inputs: readonly LiveInput[], from: LiveState = initialLiveState): LiveState {
  return inputs.reduce((state, input, index) => advance(state, input, 1_000 + index), from);
}

const broke: LiveInput = { type: 'closed', planned: false };
const opened: LiveInput = { type: 'opened' };
const settled: LiveInput = { type: 'settled' };

describe('the live stream', () => {
  it('is connected once the first socket opens, without claiming to have resumed', () => {
    expect(run([opened, settled])).toMatchObject({ phase: 'connected', attempt: 0 });
    expect(run([broke, broke, opened, settled])).toMatchObject({ phase: 'connected', attempt: 0 });
  });

  it('reports reconnecting until it has settled, then that nothing was missed', () => {
    expect(run([opened, broke])).toMatchObject({ phase: 'reconnecting', attempt: 1 });
    expect(run([opened, broke, opened])).toMatchObject({ phase: 'reconnecting', attempt: 0 });
    expect(run([opened, broke, opened, settled])).toMatchObject({ phase: 'resumed', missed: 0 });
  });

  it('counts attempts and keeps the time of the first break', () => {
    const state = run([opened, broke, broke, broke]);
    expect(state).toMatchObject({ phase: 'reconnecting', attempt: 3, sinceMs: 1_001 });
  });

  it('says how many events a gap cost, adding up what several subscriptions report', () => {
    const gap: LiveInput = { type: 'gap', missed: 3, reason: 'RETENTION' };
    expect(run([opened, broke, opened, gap, gap, settled])).toMatchObject({
      phase: 'gap',
      missed: 6,
      reason: 'RETENTION',
    });
  });

  it('never turns an unknown loss into a number', () => {
    const unknown: LiveInput = { type: 'gap', missed: null, reason: 'RETENTION' };
    const known: LiveInput = { type: 'gap', missed: 3, reason: 'RETENTION' };
    expect(run([opened, unknown, known]).missed).toBeNull();
  });

  it('still tells of an unread gap after the next break', () => {
    const gap: LiveInput = { type: 'gap', missed: 3, reason: 'SLOW_CONSUMER' };
    expect(run([opened, gap, broke, opened, settled])).toMatchObject({
      phase: 'gap',
      missed: 3,
      reason: 'SLOW_CONSUMER',
    });
    expect(run([opened, gap, { type: 'dismissed' }, broke, opened, settled])).toMatchObject({
      phase: 'resumed',
      missed: 0,
    });
  });

  it('renews a token without a word, unless the socket does not come back', () => {
    const renewal: LiveInput = { type: 'closed', planned: true };
    expect(run([opened, renewal])).toMatchObject({ phase: 'connected', attempt: 1 });
    expect(run([opened, renewal, opened, settled])).toMatchObject({ phase: 'connected', attempt: 0 });
    expect(run([opened, renewal, renewal])).toMatchObject({ phase: 'reconnecting', attempt: 2 });
    expect(run([opened, renewal, broke, opened, settled])).toMatchObject({ phase: 'resumed' });
  });

  it('forgets a break nobody listens to any more', () => {
    expect(run([opened, broke, { type: 'emptied' }, opened])).toMatchObject({ phase: 'connected' });
  });
});

describe('a subscription', () => {
  it('subscribes with its own variables until it has seen a cursor, then behind it', () => {
    expect(resumeVariables({ maxHz: 1 }, { cursor: undefined })).toEqual({ maxHz: 1 });
    expect(resumeVariables({ maxHz: 1, after: 'old' }, { cursor: 'c7' })).toEqual({ maxHz: 1, after: 'c7' });
  });

  it('reads its place out of each event', () => {
    expect(readStreamNote({ telemetry: { __typename: 'TelemetryReading', cursor: 'c7' } })).toEqual({
      cursor: 'c7',
      gap: undefined,
    });
    expect(
      readStreamNote({
        telemetry: { __typename: 'StreamGap', cursor: 'c9', missed: null, reason: 'RETENTION' },
      }),
    ).toEqual({
      cursor: 'c9',
      gap: { missed: null, reason: 'RETENTION' },
    });
  });

  it('survives payloads that carry nothing', () => {
    for (const payload of [null, undefined, {}, { telemetry: null }, 'text']) {
      expect(readStreamNote(payload)).toEqual({ cursor: undefined, gap: undefined });
    }
  });
});
