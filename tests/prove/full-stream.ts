import { setTimeout as sleep } from 'node:timers/promises';
import { NO_FAULTS } from '#simulator/known-set.ts';
import { openTestBus } from '#tests/kit/nats.ts';
import { until } from '#tests/kit/wait.ts';
import { type KnownSetOutcome, proveKnownSet } from './known-set.ts';
import { processTree } from './process-tree.ts';
import type { Rig } from './rig.ts';

export interface FullOutcome extends KnownSetOutcome {
  /** Bytes the stream was allowed, and the most it held. */
  readonly limitBytes: number;
  readonly heldBytes: number;
}

const LIMIT_BYTES = 256 * 1024;
const FULL_FOR_MS = 4_000;

/**
 * Lets TELEMETRY run full while nothing drains it: JetStream refuses, devices are not acknowledged; when ingest goes on and there is
 * room again, all of it arrives.
 */
export async function proveFullStream(rig: Rig, tenant: string): Promise<FullOutcome> {
  await using bus = await openTestBus(rig.nats);
  const { config } = await bus.jsm.streams.info('TELEMETRY');
  const ingest = processTree(rig.victim('ingest').pid ?? 0);
  let heldBytes = 0;
  for (const pid of ingest) process.kill(pid, 'SIGSTOP');
  await bus.jsm.streams.update('TELEMETRY', { ...config, max_bytes: LIMIT_BYTES });
  const relieve = async () => {
    const held = async () => (await bus.jsm.streams.info('TELEMETRY')).state.bytes;
    await until('the stream to fill', async () => (await held()) > LIMIT_BYTES * 0.9);
    await sleep(FULL_FOR_MS);
    heldBytes = await held();
    for (const pid of ingest) process.kill(pid, 'SIGCONT');
  };
  try {
    const set = { seed: 1, devices: 50, samples: 100, intervalMs: 30, faults: NO_FAULTS };
    const outcome = await proveKnownSet(rig, tenant, set, relieve);
    return { ...outcome, limitBytes: LIMIT_BYTES, heldBytes };
  } finally {
    await bus.jsm.streams.update('TELEMETRY', config);
  }
}
