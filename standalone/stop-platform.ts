import type { SupervisedProcess } from './supervise.ts';

/** Who asks first, who is asked last. Those of one stage stop together. */
const STAGES: readonly (readonly string[])[] = [
  ['simulator', 'api'],
  ['gateway'],
  ['ingest', 'evaluator', 'relay', 'janitor', 'identity'],
  ['nats'],
  ['postgres'],
];
/** Of the whole stop, in milliseconds; what still runs then is killed. */
const DEADLINE_MS = 4500;
const STAGE_MS = 1300;
/** Kept for each stage that is still to come, however long the ones before it took. */
const RESERVE_MS = 300;

/** Stops everything in order, within five seconds. */
export async function stopPlatform(started: readonly SupervisedProcess[]): Promise<void> {
  const end = Date.now() + DEADLINE_MS;
  for (const [index, stage] of STAGES.entries()) {
    const left = end - Date.now() - RESERVE_MS * (STAGES.length - index - 1);
    const deadlineMs = Math.max(RESERVE_MS, Math.min(STAGE_MS, left));
    const members = started.filter((process) => stage.includes(process.name));
    await Promise.all(members.map((process) => process.stop(deadlineMs)));
  }
}
