import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { messageIdText } from '../message-id.ts';
import { DEFAULT_TELEMETRY_LIMITS, type TelemetryContext, type TelemetryPart } from '../telemetry.ts';
import { DIALECTS } from './dialect.ts';
import { readMessage } from './read-message.ts';

/** What a device sent, as JSON or as text, and what it is read as. A part names only what it is about. */
interface Golden {
  readonly name: string;
  readonly payload?: unknown;
  readonly text?: string;
  readonly parts: readonly Readonly<Record<string, unknown>>[];
}

const NOW = Date.UTC(2026, 0, 2, 12);
const context: TelemetryContext = {
  device: 'meter-7',
  receivedAt: NOW,
  dup: false,
  oldestTs: NOW - 30 * 86_400_000,
  limits: DEFAULT_TELEMETRY_LIMITS,
};

const golden = (dialect: string): readonly Golden[] =>
  JSON.parse(readFileSync(new URL(`./golden/${dialect}.json`, import.meta.url), 'utf8'));

const plain = (part: TelemetryPart) => {
  if ('problem' in part) return { reason: part.problem.reason, field: part.problem.field };
  const { ts, id, metrics } = part.reading;
  return { ts: new Date(ts).toISOString(), id: messageIdText(id), metrics };
};

describe.each(['meter2', 'argus1'] as const)('dialect %s', (dialect) => {
  it.each(golden(dialect).map((each) => [each.name, each] as const))('%s', (_, { payload, text, parts }) => {
    const bytes = Buffer.from(text ?? JSON.stringify(payload));
    const read = readMessage(dialect, bytes, context).map(plain);
    expect(read).toHaveLength(parts.length);
    for (const [index, part] of parts.entries()) expect(read[index]).toMatchObject(part);
  });
});

describe('every dialect', () => {
  it('reads any bytes and any JSON into parts', () => {
    const payload = fc.oneof(
      fc.uint8Array({ maxLength: 300 }),
      fc.json().map((text) => Buffer.from(text)),
      fc.array(fc.object(), { maxLength: 9 }).map((measurements) => {
        return Buffer.from(JSON.stringify({ v: 2, device_id: 'meter-7', measurements }));
      }),
    );
    fc.assert(
      fc.property(fc.constantFrom(...DIALECTS), payload, (dialect, bytes) => {
        expect(readMessage(dialect, bytes, context).length).toBeGreaterThan(0);
      }),
    );
  });

  it('takes 200 measurements and refuses more', () => {
    const of = (count: number) => {
      const measurements = Array.from({ length: count }, (_, index) => ({
        ts: NOW / 1_000 - index,
        type: 'a',
        val: 1,
      }));
      return Buffer.from(JSON.stringify({ v: 2, device_id: 'meter-7', seq: 1, measurements }));
    };
    expect(readMessage('meter2', of(200), context)).toHaveLength(200);
    expect(readMessage('meter2', of(201), context).map(plain)).toEqual([
      { reason: 'TOO_MANY_READINGS', field: 'measurements' },
    ]);
  });

  it('names unnumbered readings after their idempotency key, whatever the time of arrival', () => {
    const keyed = (receivedAt: number, key: number) =>
      readMessage('canonical', Buffer.from('[{"a":1},{"a":1}]'), {
        ...{ ...context, receivedAt },
        keyHash: Buffer.alloc(8, key),
      }).flatMap((part) => ('reading' in part ? [messageIdText(part.reading.id)] : []));
    expect(keyed(NOW, 1)).toEqual(keyed(NOW + 5, 1));
    expect(new Set([...keyed(NOW, 1), ...keyed(NOW, 2)]).size).toBe(4);
  });
});
