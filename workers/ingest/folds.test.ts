import { describe, expect, it } from 'vitest';
import { openEvents } from '#core/bus/telemetry-batch.ts';
import { encodeTelemetry } from '#core/bus/telemetry-encoding.ts';
import { JsonText } from '#core/fleet/json-text.ts';
import { readMessageId } from '#core/fleet/message-id.ts';
import { createFolds } from './folds.ts';

interface Heard {
  readonly device: number;
  readonly ts: number;
  readonly id: string;
  readonly metrics: object;
}

const batch = (...readings: readonly Heard[]) => {
  const events = readings.map(({ device, ts, id, metrics }) => ({
    ...{ identity: { deviceId: device, device: `d-${device}`, siteId: null }, ts, receivedAt: ts + 1 },
    id: readMessageId(id),
    metrics: JsonText.of(JSON.stringify(metrics)),
    shape: Object.keys(metrics).join(),
  }));
  const opened = openEvents(encodeTelemetry([{ tenant: 'acme', tenantId: 1, events }]));
  if (opened.kind !== 'telemetry') throw new Error('no telemetry');
  return opened;
};

describe('folds', () => {
  it('keep the newest value of each metric by time, then by message id, whatever the order of arrival', () => {
    const folds = createFolds();
    folds.add(
      batch(
        { device: 1, ts: 20, id: '5', metrics: { a: 1, b: 1 } },
        { device: 2, ts: 1, id: '1', metrics: { a: 9 } },
      ),
    );
    folds.add(batch({ device: 1, ts: 10, id: '9', metrics: { a: 2, constructor: 3 } }));
    folds.add(batch({ device: 1, ts: 20, id: '10', metrics: { b: 4 } }));
    expect(folds.folds()).toMatchObject<object[]>([
      {
        ...{ tenantId: 1, deviceId: 1, oldestTs: 10, newestTs: 20 },
        metrics: { a: [1, 20, '5', 21], b: [4, 20, '10', 21], constructor: [3, 10, '9', 11] },
      },
      { deviceId: 2, metrics: { a: [9, 1, '1', 2] } },
    ]);
  });

  it('hold the newest of every shape, whichever shape was heard last', () => {
    const folds = createFolds();
    folds.add(
      batch(
        { device: 1, ts: 30, id: '7', metrics: { a: 1 } },
        { device: 1, ts: 40, id: '8', metrics: { b: 2, a: 3 } },
        { device: 1, ts: 50, id: '9', metrics: { a: 4 } },
        { device: 1, ts: 20, id: '6', metrics: { c: 5, a: 6 } },
      ),
    );
    folds.add(batch({ device: 1, ts: 50, id: '10', metrics: { a: 7 } }));
    folds.add(batch({ device: 1, ts: 40, id: '7', metrics: { b: 8, a: 9 } }));
    expect(folds.folds()).toMatchObject([
      {
        oldestTs: 20,
        newestTs: 50,
        metrics: { a: [7, 50, '10', 51], b: [2, 40, '8', 41], c: [5, 20, '6', 21] },
      },
    ]);
  });

  it('take back what could not be written without hiding what is newer', () => {
    const folds = createFolds();
    folds.add(batch({ device: 1, ts: 10, id: '1', metrics: { a: 1, b: 1 } }));
    folds.add(batch({ device: 1, ts: 5, id: '0', metrics: { a: 0 } }));
    const taken = folds.take();
    expect(folds.size).toBe(0);
    folds.add(batch({ device: 1, ts: 20, id: '2', metrics: { a: 2 } }));
    folds.giveBack(taken);
    expect(folds.folds()).toMatchObject([
      { oldestTs: 5, newestTs: 20, metrics: { a: [2, 20, '2', 21], b: [1, 10, '1', 11] } },
    ]);
  });
});
