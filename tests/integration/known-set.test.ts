import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EVERY_FAULT } from '#simulator/known-set.ts';
import { proveBadInput } from '#tests/prove/bad-input.ts';
import { judgeConservation } from '#tests/prove/conserved.ts';
import { proveFullStream } from '#tests/prove/full-stream.ts';
import { type KnownSetOutcome, proveKnownSet } from '#tests/prove/known-set.ts';
import { openRig, type Rig } from '#tests/prove/rig.ts';

let rig: Rig;
beforeAll(async () => {
  rig = await openRig();
});
afterAll(() => rig[Symbol.asyncDispose]());

function expectExact(outcome: KnownSetOutcome): void {
  const { lost, doubled, invented, wrong, unacknowledged, findings } = outcome;
  expect(findings).toEqual([]);
  expect({ lost, doubled, invented, wrong, unacknowledged, stored: outcome.stored }).toEqual({
    ...{ lost: 0, doubled: 0, invented: 0, wrong: 0, unacknowledged: 0 },
    stored: outcome.acknowledged,
  });
}

describe('bad input', () => {
  it('has an outcome each, and nobody falls', async () => {
    const outcome = await proveBadInput(rig, 'fuzz', 7, 200);
    expect(outcome.findings).toEqual([]);
    expect(outcome.slowestMs).toBeLessThan(20_000);
    expect(outcome.stored).toBeGreaterThan(0);
    expect(outcome.quarantined).toBeGreaterThan(outcome.payloads / 4);
  });
});

describe('a known set', () => {
  it('with every fault is stored row by row as it was measured', async () => {
    const set = { seed: 7, devices: 20, samples: 300, intervalMs: 15, faults: EVERY_FAULT };
    const outcome = await proveKnownSet(rig, 'oracle', set);
    expectExact(outcome);
    expect(outcome.acknowledged).toBeGreaterThan(20 * 300 * 0.95);
    expect(outcome.acknowledged).toBeLessThan(20 * 300);
    expect(outcome.reconnects).toBeGreaterThanOrEqual(40);
  });

  it('of hundreds of devices that come back at once is whole', async () => {
    const faults = { ...EVERY_FAULT, storms: 1, silentMs: 0 };
    const outcome = await proveKnownSet(rig, 'storm', {
      ...{ seed: 8, devices: 300, samples: 10, intervalMs: 300 },
      faults,
    });
    expectExact(outcome);
    expect(outcome.reconnectedMs).toHaveLength(1);
  });

  it('is held back by its devices while JetStream is full, and arrives when there is room', async () => {
    const outcome = await proveFullStream(rig, 'full');
    expectExact(outcome);
    expect(outcome.acknowledged).toBe(50 * 100);
    expect(outcome.heldBytes).toBeGreaterThan(outcome.limitBytes / 2);
    expect(outcome.heldBytes).toBeLessThanOrEqual(outcome.limitBytes);
  });

  it('leaves no frame and no row without its account', async () => {
    const { tenants, differences } = await judgeConservation(rig);
    expect(differences).toEqual([]);
    expect(tenants.map(({ tenant }) => tenant).sort()).toEqual(
      expect.arrayContaining(['full', 'fuzz', 'oracle', 'storm']),
    );
  });

  it('that is not what the rows say is found out', async () => {
    const wrong = proveKnownSet(
      rig,
      'tampered',
      { seed: 9, devices: 2, samples: 50, intervalMs: 20, faults: { ...EVERY_FAULT, drop: 0 } },
      async () => {
        await rig.database.admin.query(`create or replace function tamper() returns trigger language plpgsql as
          $$ begin if new.metrics->>'n' = '40' then new.metrics := '{"n":41}'; end if; return new; end $$`);
        await rig.database.admin.query(
          'create trigger tamper before insert on readings for each row execute function tamper()',
        );
      },
    );
    const outcome = await wrong.finally(() =>
      rig.database.admin.query('drop trigger if exists tamper on readings'),
    );
    expect(outcome.wrong).toBe(2);
    expect(outcome.findings[0]).toContain('40: wrong');
  });
});
