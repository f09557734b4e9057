import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  DEFAULT_TELEMETRY_LIMITS,
  readTelemetry,
  type TelemetryContext,
  type TelemetryPart,
} from './telemetry.ts';

const NOW = Date.UTC(2026, 0, 2, 12);
const context: TelemetryContext = {
  device: 'meter',
  receivedAt: NOW,
  dup: false,
  oldestTs: NOW - 30 * 86_400_000,
  limits: DEFAULT_TELEMETRY_LIMITS,
};

const read = (payload: unknown, over: Partial<TelemetryContext> = {}): TelemetryPart[] =>
  readTelemetry(Buffer.from(typeof payload === 'string' ? payload : JSON.stringify(payload)), {
    ...context,
    ...over,
  });

const reasonOf = (parts: readonly TelemetryPart[]) =>
  parts.map((part) => ('problem' in part ? part.problem.reason : 'ok'));

describe('readTelemetry', () => {
  it('reads the canonical form', () => {
    const [part] = read({
      version: '1',
      ts: '2026-01-02T11:00:00',
      seq: 5,
      boot: 2,
      site_id: 'x',
      metrics: { a: 1, b: true, c: 'x' },
      lat: 1,
      lng: 2,
    });
    expect(part).toMatchObject({
      reading: {
        ts: NOW - 3_600_000,
        metrics: { a: 1, b: true, c: 'x' },
        lat: 1,
        lng: 2,
        id: { high: 65_536, low: 5 },
      },
    });
  });

  it('takes a flat object of scalars as its metrics, at the time of arrival', () => {
    expect(read({ temperature: 21.5, door: true })).toMatchObject([
      { reading: { ts: NOW, metrics: { temperature: 21.5, door: true } } },
    ]);
  });

  it('reads ISO, seconds and milliseconds alike', () => {
    for (const ts of ['2026-01-02T12:00:00Z', '2026-01-02T13:00:00+01:00', NOW / 1_000, NOW]) {
      expect(read({ ts, metrics: { a: 1 } })).toMatchObject([{ reading: { ts: NOW } }]);
    }
  });

  it('gives each reading of an array its own fate and id', () => {
    const parts = read([{ a: 1 }, { a: 1 }, { a: [] }]);
    expect(reasonOf(parts)).toEqual(['ok', 'ok', 'BAD_VALUE']);
    const [one, two] = parts;
    expect(one && 'reading' in one && one.reading.id).not.toEqual(two && 'reading' in two && two.reading.id);
  });

  it.each([
    ['', 'BAD_JSON'],
    ['{"metrics":{"a":NaN}}', 'BAD_JSON'],
    ['[]', 'BAD_SHAPE'],
    ['5', 'BAD_SHAPE'],
    ['{}', 'NO_METRICS'],
    ['{"metrics":{}}', 'NO_METRICS'],
    ['{"version":"9","metrics":{"a":1}}', 'BAD_SHAPE'],
    ['{"a":1e999}', 'BAD_VALUE'],
    ['{"a":null}', 'BAD_VALUE'],
    ['{"a":{"b":1}}', 'BAD_VALUE'],
    ['{"a":"\\u0000"}', 'BAD_VALUE'],
    ['{"a":"\\udc00"}', 'BAD_VALUE'],
    ['{"1a":1}', 'BAD_KEY'],
    ['{"__proto__":1}', 'BAD_KEY'],
    ['{"seq":-1,"metrics":{"a":1}}', 'BAD_VALUE'],
    ['{"seq":1.5,"metrics":{"a":1}}', 'BAD_VALUE'],
    ['{"lat":91,"metrics":{"a":1}}', 'BAD_VALUE'],
    ['{"ts":"yesterday","metrics":{"a":1}}', 'BAD_TIMESTAMP'],
    ['{"ts":null,"metrics":{"a":1}}', 'BAD_TIMESTAMP'],
    ['{"ts":1000,"metrics":{"a":1}}', 'TOO_OLD'],
    ['{"ts":"2027-01-01T00:00:00Z","metrics":{"a":1}}', 'IN_FUTURE'],
  ])('turns %s away as %s', (payload, reason) => {
    expect(reasonOf(read(payload))).toEqual([reason]);
  });

  it('bounds size, keys, strings and readings', () => {
    const keys = Object.fromEntries(Array.from({ length: 101 }, (_, index) => [`m${index}`, 1]));
    expect(reasonOf(read(keys))).toEqual(['TOO_MANY_METRICS']);
    expect(reasonOf(read({ a: 'x'.repeat(513) }))).toEqual(['BAD_VALUE']);
    expect(reasonOf(read(Array.from({ length: 101 }, () => ({ a: 1 }))))).toEqual(['TOO_MANY_READINGS']);
    expect(reasonOf(read({ a: 'x'.repeat(20_000) }))).toEqual(['TOO_LARGE']);
  });

  it('marks a resend that nothing tells apart', () => {
    expect(read({ a: 1 }, { dup: true })).toMatchObject([{ reading: { dupPossible: true } }]);
    expect(read({ ts: NOW, metrics: { a: 1 } }, { dup: true })).toMatchObject([
      { reading: { dupPossible: false } },
    ]);
  });

  it('never throws, and whatever it accepts PostgreSQL can hold', () => {
    fc.assert(
      fc.property(fc.oneof(fc.json(), fc.string(), fc.uint8Array()), (payload) => {
        const bytes = typeof payload === 'string' ? Buffer.from(payload) : payload;
        for (const part of readTelemetry(bytes, context)) {
          if ('reading' in part) expect(JSON.stringify(part.reading.metrics)).not.toMatch(/\\u0000|null/);
        }
      }),
      { numRuns: 500 },
    );
  });
});
