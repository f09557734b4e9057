import { setTimeout as sleep } from 'node:timers/promises';
import type { KnownSetOptions } from '#simulator/known-set.ts';
import { type PlayedSet, playKnownSet } from '#simulator/known-set-player.ts';
import { judgeKnownSet, type KnownSetVerdict } from '#simulator/oracle-values.ts';
import { seedTenant } from '#tests/kit/seed.ts';
import type { Rig } from './rig.ts';

export interface KnownSetOutcome extends KnownSetVerdict {
  readonly devices: number;
  readonly unacknowledged: number;
  readonly reconnectedMs: readonly number[];
}

const ACKNOWLEDGED_WITHIN_MS = 120_000;
const STORED_WITHIN_MS = 120_000;
/** What would be stored twice is stored by then. */
const SETTLE_MS = 500;

/**
 * Plays a known set from devices of a tenant of its own and judges every row of it.
 * @param meanwhile called when the first messages flow
 */
export async function proveKnownSet(
  rig: Rig,
  tenant: string,
  options: KnownSetOptions & { readonly devices: number },
  meanwhile: () => Promise<void> = async () => undefined,
): Promise<KnownSetOutcome> {
  const seed = await seedTenant(rig.database.admin, tenant);
  const devices = await seed.devices(options.devices, tenant);
  const playing = playKnownSet({
    ...options,
    devices,
    url: `mqtt://127.0.0.1:${rig.processes.mqttPort}`,
    boot: 1,
    beganAt: Date.now(),
    timeoutMs: ACKNOWLEDGED_WITHIN_MS,
  });
  const [played] = await Promise.all([playing, sleep(options.intervalMs).then(meanwhile)]);
  const verdict = await judgeInTime(rig, played);
  const unacknowledged = played.devices.reduce((sum, { sent, acknowledged }) => sum + sent - acknowledged, 0);
  const { reconnectedMs } = played;
  return { ...verdict, devices: options.devices, unacknowledged, reconnectedMs };
}

async function judgeInTime(rig: Rig, { devices }: PlayedSet): Promise<KnownSetVerdict> {
  const deadline = Date.now() + STORED_WITHIN_MS;
  while ((await judgeKnownSet(rig.database.admin, devices)).lost > 0 && Date.now() < deadline) {
    await sleep(SETTLE_MS);
  }
  await sleep(SETTLE_MS);
  return judgeKnownSet(rig.database.admin, devices);
}
