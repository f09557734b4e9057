import { describe, expect, it } from 'vitest';
import { fixPayload, type PatchStep } from './payload-fix.ts';

const fix = (payload: unknown, steps: readonly PatchStep[], over: object = {}) => {
  const {
    field,
    part,
    removeField = false,
  } = over as { field?: string; part?: number; removeField?: boolean };
  const text = typeof payload === 'string' ? payload : JSON.stringify(payload);
  const fixed = fixPayload({ payload: Buffer.from(text), field, part }, { steps, removeField });
  return 'problem' in fixed ? fixed.problem : JSON.parse(Buffer.from(fixed.payload).toString());
};
const removed = (payload: unknown, field: string) => fix(payload, [], { field, removeField: true });

describe('a fix', () => {
  it('adds, removes, replaces and moves by JSON pointer', () => {
    const message = { metrics: { 'a/b': 1, c: 2 }, list: [1, 2] };
    expect(fix(message, [{ op: 'remove', path: '/metrics/a~1b' }])).toEqual({
      metrics: { c: 2 },
      list: [1, 2],
    });
    expect(fix(message, [{ op: 'move', from: '/metrics/a~1b', path: '/metrics/ab' }]).metrics).toEqual({
      ab: 1,
      c: 2,
    });
    expect(fix(message, [{ op: 'replace', path: '/metrics/c', value: 3 }]).metrics.c).toBe(3);
    expect(fix(message, [{ op: 'add', path: '/list/-', value: 3 }]).list).toEqual([1, 2, 3]);
    expect(fix(message, [{ op: 'add', path: '/list/0', value: 0 }]).list).toEqual([0, 1, 2]);
    expect(fix(message, [{ op: 'add', path: '', value: { a: 1 } }])).toEqual({ a: 1 });
  });

  it('says what it does not find', () => {
    expect(fix({ a: 1 }, [{ op: 'remove', path: '/b' }])).toBe('there is no /b');
    expect(fix({ a: 1 }, [{ op: 'replace', path: '/b', value: 1 }])).toBe('there is no /b');
    expect(fix({ a: 1 }, [{ op: 'remove', path: 'b' }])).toBe('b is not a JSON pointer');
    expect(fix('{"a":', [{ op: 'remove', path: '/a' }])).toContain('not JSON');
  });

  it('begins at the reading that is meant', () => {
    const steps: PatchStep[] = [{ op: 'replace', path: '/a', value: 9 }];
    expect(fix([{ a: 1 }, { a: 2 }], steps, { part: 1 })).toEqual([{ a: 1 }, { a: 9 }]);
    expect(fix([{ a: 1 }], steps, { part: 1 })).toContain('no reading 1');
  });

  it('takes out the field that the fault is in, whatever dots its key has', () => {
    expect(removed({ metrics: { 'a.b': 1, a: 2 } }, 'metrics.a.b')).toEqual({ metrics: { a: 2 } });
    expect(removed([{ a: 1 }, { metrics: { t: null, u: 1 } }], '[1].metrics.t')).toEqual([
      { a: 1 },
      { metrics: { u: 1 } },
    ]);
    expect(removed({ measurements: [{ val: 1 }, { val: null }] }, 'measurements[1]')).toEqual({
      measurements: [{ val: 1 }],
    });
    expect(removed({ a: 1 }, 'b')).toBe('there is no b');
  });

  it('keeps no secret and no way to change what objects are', () => {
    const payload = Buffer.from('{"provision_token":"s3cret","a":1}');
    const fixed = fixPayload({ payload, field: undefined, part: undefined }, { payload });
    expect('payload' in fixed && Buffer.from(fixed.payload).toString()).toBe('{"a":1}');
    fix({}, [{ op: 'add', path: '/__proto__', value: { polluted: true } }]);
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });
});
