import { setTimeout as sleep } from 'node:timers/promises';
import type { Pool } from 'pg';
import type { Load } from '#simulator/load.ts';
import { type CpuSeconds, readCpu } from './cpu.ts';
import type { BenchPlatform } from './platform.ts';

/** What it takes to hear of a device for the first time. */
export interface Introduction {
  readonly devices: number;
  readonly seconds: number;
  /** Microseconds of CPU a device, by process of the platform. */
  readonly cpu: ReadonlyMap<string, number>;
}

const TIMEOUT_MS = 300_000;
/** Until the numbers of the last messages are folded too. */
const SETTLE_MS = 7_000;

/** Lets every device come, send one message and leave, and waits until the platform has taken all of it in. */
export async function introduce(
  platform: BenchPlatform,
  database: Pool,
  load: Load,
  devices: number,
): Promise<Introduction> {
  const read = () => readCpu(platform.nats, platform.database);
  const [began, before] = [performance.now(), read()];
  await load.introduce(TIMEOUT_MS);
  const seconds = (performance.now() - began) / 1_000;
  await sleep(SETTLE_MS);
  const cpu = perDevice(before, read(), devices);
  // As the server would do by itself a minute later, in the middle of what is measured.
  for (const table of ['device_presence', 'presence_changes', 'device_latest', 'device_sequences'])
    await database.query(`vacuum analyze ${table}`);
  return { devices, seconds, cpu };
}

const perDevice = (before: CpuSeconds, after: CpuSeconds, devices: number): Introduction['cpu'] =>
  new Map([...after].map(([name, total]) => [name, ((total - (before.get(name) ?? 0)) / devices) * 1e6]));
