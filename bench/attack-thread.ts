import { parentPort, workerData } from 'node:worker_threads';
import type { AttackData, AttackReport } from './attack.ts';
import { attemptAll } from './connect-attempt.ts';

const { url, callers, perSecond }: AttackData = workerData;
const attempts = await attemptAll(url, callers, perSecond);
const codes: Record<string, number> = {};
for (const { returnCode } of attempts) {
  const code = String(returnCode ?? 'none');
  codes[code] = (codes[code] ?? 0) + 1;
}
const report: AttackReport = { codes, longestMs: Math.max(...attempts.map(({ ms }) => ms)) };
parentPort?.postMessage(report);
