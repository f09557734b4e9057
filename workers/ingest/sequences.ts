import { encodeEvents, type SequenceEvent } from '#core/bus/events.ts';
import { eventsSubject } from '#core/bus/subjects.ts';
import { releaseLeases, takeLeases } from '#core/db/leases.ts';
import { type OutboxMessage, writeOutbox } from '#core/db/outbox.ts';
import { type Connection, type Pool, transaction } from '#core/db/pool.ts';
import { type SequenceNote, takeSequenceNotes } from '#core/db/sequence-notes.ts';
import {
  type DeviceSequence,
  forgetOldBoots,
  type KnownGap,
  lockSequences,
  lockSettling,
  writeGaps,
  writeSequences,
} from '#core/db/sequences.ts';
import {
  missingOf,
  type Observation,
  observe,
  type SequenceGap,
  type Settled,
  settle,
} from '#core/fleet/sequences.ts';
import { shardOf } from '#core/fleet/shards.ts';
import { type Clock, every } from '#core/runtime/every.ts';
import type { Logger } from '#core/runtime/logger.ts';
import type { IngestMetrics } from './metrics.ts';

export interface SequencesDeps {
  readonly pool: Pool;
  readonly shards: number;
  /** Names this process among the replicas that could do the same. */
  readonly holder: string;
  /** How often the notes of the batches are folded, in milliseconds. */
  readonly foldMs: number;
  readonly log: Logger;
  readonly metrics: IngestMetrics;
}

/** Folds the numbers that batches noted into `device_sequences` and makes gaps known: one process at a time, by lease. */
export interface SequenceFolder {
  start(): void;
  stop(): Promise<void>;
  /** Folds everything that is noted; returns how many messages that were. */
  fold(now: number): Promise<number>;
}

const LEASE = 'sequences';
const LEASE_MS = 30_000;
/** Batches folded in one transaction: at most about 20 bytes times the messages of as many batches are in memory. */
const FOLD_BATCHES = 200;
const SETTLE_LIMIT = 5_000;

/** What happened to a life of a device in one step. */
interface Step extends Settled {
  readonly before: DeviceSequence;
}

export function createSequenceFolder(deps: SequencesDeps): SequenceFolder {
  const { pool, metrics } = deps;
  let clock: Clock | undefined;

  const write = async (connection: Connection, steps: readonly Step[], now: number): Promise<void> => {
    await writeSequences(
      connection,
      steps.map(({ before, state }) => ({ ...before, state })),
    );
    await writeGaps(
      connection,
      steps.flatMap((step) => [...changedGaps(step)]),
      now,
    );
    await writeOutbox(connection, sequenceMessages(steps, now, deps.shards));
  };

  const foldOnce = async (now: number): Promise<{ readonly batches: number; readonly messages: number }> => {
    const { batches, messages, steps } = await transaction(pool, async (connection) => {
      const notes = await takeSequenceNotes(connection, FOLD_BATCHES);
      const heard = livesIn(notes);
      if (heard.size === 0) return { batches: 0, messages: 0, steps: [] };
      const sequences = await lockSequences(connection, [...heard.values()]);
      const steps = sequences.map((before): Step => {
        const observations = heard.get(placeOf(before))?.observations ?? [];
        return { before, ...settle(observe(before.state, observations), now) };
      });
      await write(connection, steps, now);
      const begun = steps.filter(({ before }) => before.state.received === 0);
      if (begun.length > 0)
        await forgetOldBoots(
          connection,
          begun.map(({ before }) => before.deviceId),
        );
      return { batches: notes.length, messages: notes.reduce((sum, each) => sum + each.length, 0), steps };
    });
    count(steps, metrics);
    return { batches, messages };
  };

  const settleDue = async (now: number): Promise<void> => {
    const steps = await transaction(pool, async (connection) => {
      const due = await lockSettling(connection, new Date(now), SETTLE_LIMIT);
      const settled = due.map((before): Step => ({ before, ...settle(before.state, now) }));
      await write(connection, settled, now);
      return settled;
    });
    count(steps, metrics);
  };

  const fold = async (now: number, signal?: AbortSignal): Promise<number> => {
    let messages = 0;
    while (!signal?.aborted) {
      const folded = await foldOnce(now);
      messages += folded.messages;
      if (folded.batches < FOLD_BATCHES) break;
    }
    await settleDue(now);
    return messages;
  };

  return {
    fold,
    start() {
      clock = every(deps.foldMs, 'sequences', deps.log, async (signal) => {
        const held = await takeLeases(pool, deps.holder, [LEASE], LEASE_MS);
        if (held.length > 0) await fold(Date.now(), signal);
      });
    },
    async stop() {
      await clock?.stop();
      await releaseLeases(pool, deps.holder).catch(() => undefined);
    },
  };
}

/** What was heard of one life of a device. */
interface Life {
  readonly deviceId: number;
  readonly boot: number;
  readonly observations: Observation[];
}

/** Tells every life of every device from all others: a boot has 16 bits. */
const placeOf = ({ deviceId, boot }: Pick<SequenceNote, 'deviceId' | 'boot'>): number =>
  deviceId * 2 ** 16 + boot;

function livesIn(batches: readonly (readonly SequenceNote[])[]): ReadonlyMap<number, Life> {
  const lives = new Map<number, Life>();
  for (const notes of batches) {
    for (const note of notes) {
      const place = placeOf(note);
      const life = lives.get(place);
      if (life) life.observations.push(note);
      else lives.set(place, { deviceId: note.deviceId, boot: note.boot, observations: [note] });
    }
  }
  return lives;
}

function* changedGaps({ before, state, opened, healed }: Step): Iterable<KnownGap> {
  const about = { tenantId: before.tenantId, deviceId: before.deviceId, boot: before.boot };
  for (const gap of opened) {
    yield { ...about, ...gap, missing: missingOf(gap, state.ranges), healedAt: undefined };
  }
  for (const gap of healed) yield { ...about, ...gap, missing: 0, healedAt: state.lastAt };
  for (const gap of before.state.open) {
    if (healed.includes(gap) || !state.open.includes(gap)) continue;
    const missing = missingOf(gap, state.ranges);
    if (missing !== missingOf(gap, before.state.ranges))
      yield { ...about, ...gap, missing, healedAt: undefined };
  }
}

function sequenceMessages(steps: readonly Step[], now: number, shards: number): OutboxMessage[] {
  const changed = steps.filter(({ opened, healed }) => opened.length + healed.length > 0);
  return [...Map.groupBy(changed, ({ before }) => before.tenantId).values()].flatMap((ofTenant) => {
    const [first] = ofTenant;
    if (!first) return [];
    const { tenant, tenantId } = first.before;
    const shard = shardOf(tenant, shards);
    const events = ofTenant.flatMap((step) => [
      ...step.opened.map((gap) => sequenceEvent(step, 'GAP', gap, now)),
      ...step.healed.map((gap) => sequenceEvent(step, 'HEALED', gap, now)),
    ]);
    const payload = encodeEvents({ v: 1, tenant, tenantId, kind: 'sequence', events });
    return [{ tenantId, shard, subject: eventsSubject(shard, 'sequence'), payload }];
  });
}

const sequenceEvent = (
  { before }: Step,
  change: SequenceEvent['change'],
  { from, to, firstSeenAt }: SequenceGap,
  at: number,
): SequenceEvent => ({
  deviceId: before.deviceId,
  device: before.device,
  siteId: before.siteId,
  at,
  change,
  boot: before.boot,
  from,
  to,
  firstSeenAt,
});

function count(steps: readonly Step[], metrics: IngestMetrics): void {
  for (const { before, state, opened, healed } of steps) {
    metrics.sequenceGaps.inc({ change: 'opened' }, opened.length);
    metrics.sequenceGaps.inc({ change: 'healed' }, healed.length);
    metrics.sequenceMessages.inc({ what: 'duplicate' }, state.duplicates - before.state.duplicates);
    metrics.sequenceMessages.inc({ what: 'out_of_order' }, state.outOfOrder - before.state.outOfOrder);
    for (const gap of opened) metrics.sequenceMessages.inc({ what: 'missing' }, missingOf(gap, state.ranges));
  }
}
