import { describe, expect, it } from 'vitest';
import { documentProblem, type JsonObject } from './json-documents.ts';
import {
  applyReport,
  desiredMessage,
  mergePatch,
  type ReportedSide,
  readShadowReport,
  shadowDelta,
  shadowStatus,
} from './shadow.ts';

describe('shadowDelta', () => {
  it.each<[string, JsonObject, JsonObject, JsonObject]>([
    [
      'nothing where everything is reported',
      { a: 1, b: { c: [1, 2] } },
      { b: { c: [1, 2], d: 3 }, a: 1 },
      {},
    ],
    ['values that differ, and those that are missing', { a: 1, b: 2, c: 3 }, { a: 1, b: 5 }, { b: 2, c: 3 }],
    [
      'only what differs within an object',
      { n: { a: 1, b: { c: 1, d: 2 } } },
      { n: { a: 1, b: { c: 1 } } },
      { n: { b: { d: 2 } } },
    ],
    ['a list as a whole', { l: [1, 2, 3] }, { l: [1, 3, 2] }, { l: [1, 2, 3] }],
    ['an object where something else is reported', { a: { b: 1 } }, { a: [1] }, { a: { b: 1 } }],
    ['null and false for what they are', { a: null, b: false }, { a: 0, b: null }, { a: null, b: false }],
    ['own keys only', { constructor: 1, toString: { a: 1 } }, {}, { constructor: 1, toString: { a: 1 } }],
    ['an empty object that is missing', { a: {} }, {}, { a: {} }],
  ])('is %s', (_name, desired, reported, delta) => {
    expect(shadowDelta(desired, reported)).toEqual(delta);
  });

  it('does not depend on the order of keys', () => {
    expect(shadowDelta({ a: [{ x: 1, y: 2 }] }, { a: [{ y: 2, x: 1 }] })).toEqual({});
  });
});

describe('shadowStatus', () => {
  const state = {
    desired: { a: 1 },
    desiredVersion: 3,
    reported: { a: 1 },
    reportedVersion: 2,
    answeredVersion: 3,
  };
  it.each([
    ['NEVER_REPORTED', { reportedVersion: 0, reported: {} }],
    ['IN_SYNC', {}],
    ['IN_SYNC', { answeredVersion: 0 }],
    ['PENDING', { reported: { a: 2 }, answeredVersion: 2 }],
    ['DIVERGED', { reported: { a: 2 } }],
  ] as const)('is %s', (status, over) => {
    expect(shadowStatus({ ...state, ...over })).toBe(status);
  });
});

describe('mergePatch', () => {
  // The examples of RFC 7396, appendix A, whose both sides are objects.
  it.each<[JsonObject, JsonObject, JsonObject]>([
    [{ a: 'b' }, { a: 'c' }, { a: 'c' }],
    [{ a: 'b' }, { b: 'c' }, { a: 'b', b: 'c' }],
    [{ a: 'b' }, { a: null }, {}],
    [{ a: 'b', b: 'c' }, { a: null }, { b: 'c' }],
    [{ a: ['b'] }, { a: 'c' }, { a: 'c' }],
    [{ a: 'c' }, { a: ['b'] }, { a: ['b'] }],
    [{ a: { b: 'c' } }, { a: { b: 'd', c: null } }, { a: { b: 'd' } }],
    [{ a: [{ b: 'c' }] }, { a: [1] }, { a: [1] }],
    [{ e: null }, { a: 1 }, { e: null, a: 1 }],
    [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
  ])('makes of %j with %j %j', (target, patch, merged) => {
    expect(mergePatch(target, patch)).toEqual(merged);
  });
});

describe('readShadowReport', () => {
  const read = (text: string) => readShadowReport(Buffer.from(text), { maxMessageBytes: 200 });
  it('reads what is reported and which version it answers', () => {
    expect(read('{"reported":{"a":{"b":[1]}},"version":4}')).toEqual({
      report: { reported: { a: { b: [1] } }, answers: 4 },
    });
    expect(read('{"reported":{}}')).toEqual({ report: { reported: {}, answers: 0 } });
  });

  it.each([
    ['no json', 'BAD_JSON', undefined],
    ['[]', 'BAD_SHAPE', undefined],
    ['{"reported":[]}', 'BAD_SHAPE', 'reported'],
    ['{"a":1}', 'BAD_SHAPE', 'reported'],
    ['{"reported":{},"version":-1}', 'BAD_SHAPE', 'version'],
    ['{"reported":{},"version":1.5}', 'BAD_SHAPE', 'version'],
    ['{"reported":{},"version":"1"}', 'BAD_SHAPE', 'version'],
    ['{"reported":{"a":{"b":"\\u0000"}}}', 'BAD_VALUE', 'reported.a.b'],
    ['{"reported":{"a":[1,1e999]}}', 'BAD_VALUE', 'reported.a[1]'],
    ['{"reported":{"__proto__":1}}', 'BAD_VALUE', 'reported'],
    [`{"reported":{"a":${'['.repeat(40)}${']'.repeat(40)}}}`, 'BAD_VALUE', `reported.a${'[0]'.repeat(15)}`],
    [`{"reported":{"a":"${'x'.repeat(200)}"}}`, 'TOO_LARGE', undefined],
  ])('turns %j away as %s', (text, reason, field) => {
    expect(read(text)).toMatchObject({ problem: { reason, ...(field !== undefined && { field }) } });
  });
});

describe('documentProblem', () => {
  it('finds nothing in what JSON can say', () => {
    expect(documentProblem({ a: [null, true, 1.5, 'ä', { 'b c': {} }] })).toBeUndefined();
  });
});

describe('applyReport', () => {
  const start: ReportedSide = {
    ...{ desiredVersion: 5, reported: {}, reportedVersion: 0, answeredVersion: 0, place: undefined },
  };
  const at = (streamedAt: number, sequence = 1) => ({ streamedAt, sequence });

  it('replaces what was reported, and believes no version that there is not', () => {
    const first = applyReport(start, { reported: { a: 1, b: 2 }, answers: 9 }, at(10));
    expect(first).toMatchObject({ outcome: 'applied', side: { reportedVersion: 1, answeredVersion: 5 } });
    const second = applyReport(first.side, { reported: { a: 1 }, answers: 0 }, at(10));
    expect(second).toMatchObject({
      ...{ outcome: 'applied', side: { reportedVersion: 2, reported: { a: 1 }, answeredVersion: 5 } },
    });
  });

  it('makes no version of what is known, and none of what is empty but for the first', () => {
    const first = applyReport(start, { reported: {}, answers: 0 }, at(10));
    expect(first.outcome).toBe('applied');
    const again = applyReport(first.side, { reported: {}, answers: 0 }, at(20));
    expect(again).toMatchObject({ outcome: 'unchanged', side: { reportedVersion: 1, place: at(20) } });
    const answered = applyReport(again.side, { reported: {}, answers: 3 }, at(30));
    expect(answered).toMatchObject({ outcome: 'applied', side: { reportedVersion: 2, answeredVersion: 3 } });
  });

  it('does not go back in time', () => {
    const newer = applyReport(start, { reported: { a: 2 }, answers: 2 }, at(20, 7)).side;
    for (const place of [at(19, 9), at(20, 6)]) {
      const late = applyReport(newer, { reported: { a: 1 }, answers: 4 }, place);
      expect(late).toMatchObject({
        outcome: 'late',
        side: { reported: { a: 2 }, reportedVersion: 1, answeredVersion: 4, place: at(20, 7) },
      });
    }
  });
});

describe('desiredMessage', () => {
  it('says document, version and time', () => {
    expect(JSON.parse(desiredMessage({ desired: { a: 1 }, version: 7, at: 0 }).toString())).toEqual({
      ...{ desired: { a: 1 }, version: 7, timestamp: '1970-01-01T00:00:00.000Z' },
    });
  });
});
