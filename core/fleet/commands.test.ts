import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readCommandAck } from './command-acks.ts';
import { commandPayload, meterCommandPayload } from './command-messages.ts';
import {
  COMMAND_ANSWERS,
  COMMAND_LIMITS,
  COMMAND_STATUSES,
  type CommandEvent,
  type CommandStatus,
  isFinished,
  nextStatus,
} from './commands.ts';

const EVENTS: readonly CommandEvent[] = ['queued', 'sent', ...COMMAND_ANSWERS, 'expired', 'cancelled'];
const FINAL = ['ok', 'rejected', 'unsupported', 'error'] as const;

/** Every state on the way, from QUEUED on. */
function pathOf(events: readonly CommandEvent[]): CommandStatus[] {
  const path: CommandStatus[] = ['QUEUED'];
  for (const event of events)
    path.push(nextStatus(path.at(-1) ?? 'QUEUED', event) ?? path.at(-1) ?? 'QUEUED');
  return path;
}

const last = (events: readonly CommandEvent[]): CommandStatus => pathOf(events).at(-1) ?? 'QUEUED';

/** Events in any order, with repetitions. */
const anything = fc.array(fc.constantFrom(...EVENTS), { maxLength: 12 });
const shuffled = <Item>(items: readonly Item[]) =>
  fc.shuffledSubarray([...items], { minLength: items.length });

describe('the states of a command', () => {
  it('are only ever gone forward, and nothing reopens what is finished', () => {
    fc.assert(
      fc.property(anything, (events) => {
        const path = pathOf(events);
        for (const [index, status] of path.entries()) {
          const before = path[index - 1];
          if (before === undefined || before === status) continue;
          expect(isFinished(before)).toBe(false);
          expect(COMMAND_STATUSES.indexOf(status)).toBeGreaterThan(COMMAND_STATUSES.indexOf(before));
        }
      }),
    );
  });

  it('come out the same whatever the order in which one device’s answer and the rest arrive, and however often', () => {
    const outcomes = { ok: 'SUCCEEDED', rejected: 'REJECTED', unsupported: 'REJECTED', error: 'FAILED' };
    const heard = fc
      .constantFrom(...FINAL)
      .chain((answer) =>
        fc.tuple(fc.constant(answer), shuffled(['sent', 'accepted', answer, 'sent', answer])),
      );
    fc.assert(
      fc.property(heard, ([answer, events]) => {
        expect(last(events as CommandEvent[])).toBe(outcomes[answer]);
      }),
    );
  });

  it('end with the first event that ends them', () => {
    const ends = new Set<CommandEvent>([...FINAL, 'expired', 'cancelled']);
    fc.assert(
      fc.property(anything, (events) => {
        const accepted = events.indexOf('accepted');
        const first = events.findIndex(
          (event, at) => ends.has(event) && !(event === 'cancelled' && accepted >= 0 && accepted < at),
        );
        const status = last(events);
        if (first === -1) expect(isFinished(status)).toBe(false);
        else expect(status).toBe(last(events.slice(0, first + 1)));
      }),
    );
  });

  it('are moved by these events and no others', () => {
    const moves = COMMAND_STATUSES.map((status) => [
      status,
      EVENTS.flatMap((event) => {
        const next = nextStatus(status, event);
        return next ? [`${event} ${next}`] : [];
      }),
    ]);
    const answers = ['ok SUCCEEDED', 'rejected REJECTED', 'error FAILED', 'unsupported REJECTED'];
    expect(Object.fromEntries(moves)).toEqual({
      QUEUED: ['sent SENT', 'accepted ACKNOWLEDGED', ...answers, 'expired EXPIRED', 'cancelled CANCELLED'],
      SENT: ['accepted ACKNOWLEDGED', ...answers, 'expired EXPIRED', 'cancelled CANCELLED'],
      ACKNOWLEDGED: [...answers, 'expired EXPIRED'],
      ...{ SUCCEEDED: [], FAILED: [], REJECTED: [], EXPIRED: [], CANCELLED: [] },
    });
  });
});

const ID = '0e9fb1a4-9a1b-4c5d-8e6f-0123456789ab';
const LIMITS = { maxMessageBytes: 16_384 };
const read = (said: unknown, dialect: 'canonical' | 'meter2' = 'canonical') =>
  readCommandAck(dialect, Buffer.from(typeof said === 'string' ? said : JSON.stringify(said)), 'm1', LIMITS);

describe('the messages about a command', () => {
  it('says what the device needs, and to a meter in its own envelope', () => {
    const at = Date.parse('2026-01-02T03:04:05Z');
    const payload = commandPayload({ commandId: ID, type: 'reboot', params: { delay: 1 }, expiresAt: at });
    const canonical = {
      ...{ command_id: ID, type: 'reboot', params: { delay: 1 } },
      expires_at: '2026-01-02T03:04:05.000Z',
    };
    expect(JSON.parse(payload.toString())).toEqual(canonical);
    expect(JSON.parse(meterCommandPayload(payload, 'm1', at - 5_000).toString())).toEqual({
      ...{ v: 2, device_id: 'm1', ts: '2026-01-02T03:04:00.000Z', msg_type: 'command' },
      ...canonical,
    });
  });

  it('reads answers, and says what is wrong with those it cannot use', () => {
    const good = { command_id: ID.toUpperCase(), status: 'ok' };
    expect(read(good)).toEqual({ ack: { commandId: ID, status: 'ok', details: undefined } });
    expect(read({ ...good, details: { took: 3 } })).toEqual({
      ack: { commandId: ID, status: 'ok', details: { took: 3 } },
    });
    const meter = { ...good, v: 2, device_id: 'm1', seq: 4 };
    expect(read(meter, 'meter2')).toHaveProperty('ack');
    const reasons: readonly (readonly [unknown, string])[] = [
      ['{', 'BAD_JSON'],
      [[], 'BAD_SHAPE'],
      [{ status: 'ok' }, 'BAD_SHAPE'],
      [{ command_id: ID, status: 'done' }, 'BAD_SHAPE'],
      [{ ...good, details: 'x'.repeat(COMMAND_LIMITS.detailsBytes) }, 'TOO_LARGE'],
      [`{"command_id":"${ID}","status":"ok","details":{"a":"\\u0000"}}`, 'BAD_VALUE'],
    ];
    for (const [said, reason] of reasons) expect(read(said)).toMatchObject({ problem: { reason } });
    expect(read({ ...meter, device_id: 'm2' }, 'meter2')).toMatchObject({
      problem: { reason: 'WRONG_DEVICE' },
    });
  });

  it('never throws', () => {
    fc.assert(fc.property(fc.uint8Array(), (bytes) => void readCommandAck('canonical', bytes, 'm1', LIMITS)));
  });
});
