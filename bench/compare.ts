import { benchIngest, isSound } from './ingest.ts';
import { findPeak, type Step } from './peak.ts';
import { benchPeer, PEERS } from './peers.ts';
import type { BenchPlatform } from './platform.ts';
import { platformCpu } from './print.ts';

export interface PeakBench {
  readonly seconds: number;
  readonly connections: number;
  readonly tenants: number;
  readonly subscribers: number;
  /** Runs the peers too, on the same machine, one after the other. */
  readonly peers: boolean;
}

export interface PeakResult {
  /** Undefined: not even the first rate held. */
  readonly ours: Step | undefined;
  readonly peers: readonly {
    readonly name: string;
    readonly shape: string;
    readonly peak: Step | undefined;
  }[];
}

const FIRST_RATE = 20_000;
/** A rate holds when 95 % are stored within this time. */
const STORED_P95_MS = 500;

/** The highest rate at which nothing is lost, the backlog does not grow and messages are stored in time. */
export async function benchPeak(
  platform: BenchPlatform,
  { seconds, connections, tenants, subscribers, peers }: PeakBench,
  say: (line: string) => void,
): Promise<PeakResult> {
  const ours = await findPeak(
    FIRST_RATE,
    async (rate) => {
      const options = { rate, seconds, warmUpSeconds: 5, connections, tenants, subscribers };
      const result = await benchIngest(platform, options, () => undefined);
      const inTime = result.stored.p95 < STORED_P95_MS && result.sentRate > 0.97 * rate;
      const text = `${result.verdict.lost} lost, stored p95 ${result.stored.p95.toFixed(0)} ms, ${platformCpu(result).toFixed(1)} µs a message`;
      return { rate, held: isSound(result) && inTime, text };
    },
    say,
  );
  const found: PeakResult['peers'][number][] = [];
  for (const peer of peers ? PEERS : []) {
    say(`${peer.name}: ${peer.shape}`);
    const options = { seconds, connections, storedP95Ms: STORED_P95_MS };
    found.push({ name: peer.name, shape: peer.shape, peak: await benchPeer(peer, platform, options, say) });
  }
  return { ours, peers: found };
}

/** The result of `bench ingest --peak` for people. */
export function describePeak({ ours, peers }: PeakResult, { connections, seconds }: PeakBench): string {
  const rateOf = (step: Step | undefined) => (step ? `${step.rate.toLocaleString('en-US')} msg/s` : 'none');
  return [
    `peak: the highest rate on ${connections} connections that holds for ${seconds} s (nothing lost, no growing lag, stored p95 < ${STORED_P95_MS} ms)`,
    `  ${'this platform'.padEnd(30)}${rateOf(ours).padStart(16)}   ${ours?.text ?? ''}`,
    ...peers.map(({ name, peak, shape }) => {
      const ratio = ours && peak ? `${(ours.rate / peak.rate).toFixed(1)}×` : '';
      return `  ${name.padEnd(30)}${rateOf(peak).padStart(16)}   ${ratio.padStart(6)}  ${shape}`;
    }),
  ].join('\n');
}
