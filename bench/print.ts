import type { AttackResult, ConnectRound } from './attack.ts';
import { GENERATOR, type IngestResult, isGrowing, type Percentiles } from './ingest.ts';
import type { PathResult } from './path.ts';

const whole = (value: number): string => Math.round(value).toLocaleString('en-US');
const row = (name: string, text: string): string => `  ${name.padEnd(30)}${text}`;

function latency(name: string, { p50, p95, p99 }: Percentiles): string {
  const ms = (value: number) => (Number.isNaN(value) ? 'none' : `${value.toFixed(1)} ms`).padStart(11);
  return row(name, `p50${ms(p50)}   p95${ms(p95)}   p99${ms(p99)}`);
}

/** Microseconds a message in everything but the generator. */
export function platformCpu({ cpu }: Pick<IngestResult, 'cpu'>): number {
  let total = 0;
  for (const [name, microseconds] of cpu) if (name !== GENERATOR) total += microseconds;
  return total;
}

/** The result of `bench ingest` for people; every figure with its unit. */
export function describeIngest(result: IngestResult): string {
  const { options, verdict, live } = result;
  const cpu = [...result.cpu].sort(([, one], [, other]) => other - one);
  const total = platformCpu(result);
  const all = cpu.reduce((sum, [, microseconds]) => sum + microseconds, 0);
  return [
    `ingest: ${whole(options.rate)} msg/s asked for ${options.seconds} s on ${options.connections} connections, QoS 1`,
    row(
      'sent',
      `${whole(result.sentRate)} msg/s (the generator was late by ${result.generatorLagMs.toFixed(0)} ms at worst)`,
    ),
    row(
      'acknowledged',
      `${whole(result.acknowledgedRate)} msg/s, ${result.reconnects} reconnects, ${result.outOfOrder} out of order`,
    ),
    row(
      'messages',
      `${whole(verdict.acknowledged)} acknowledged, ${whole(verdict.stored)} rows, ${verdict.lost} lost, ${verdict.doubled} doubled`,
    ),
    latency('PUBACK', result.pubacks),
    latency('stored', result.stored),
    row(
      'lag',
      `${result.lag.first.toFixed(0)} ms at first, ${result.lag.last.toFixed(0)} ms at last${isGrowing(result) ? ': growing' : ''}`,
    ),
    latency('subscriber', live),
    row(
      'live',
      `${whole(live.received)} events to ${options.subscribers} subscribers, ${result.liveMissed} missed, ${live.repeated} repeated, ${live.gaps} gaps`,
    ),
    ...live.failures.map((failure) => row('', failure)),
    row('CPU a message', `${total.toFixed(1)} µs in the platform, ${all.toFixed(1)} µs with the generator`),
    ...cpu.map(([name, microseconds]) => row(`  ${name}`, `${microseconds.toFixed(2)} µs`)),
  ].join('\n');
}

/** The result of `bench path` for people. */
export function describePath({ messages, received, live, pubacks }: PathResult): string {
  return [
    `path: one device, ten messages a second, one subscriber; ${messages} messages, ${received} seen`,
    latency('PUBACK', pubacks),
    latency('subscriber', live),
  ].join('\n');
}

/** The result of `bench attack` for people. */
export function describeAttack({ options, devices, quiet, attacked, reports, ratio }: AttackResult): string {
  const line = (name: string, { p50, p95, mean, connected, refused }: ConnectRound) =>
    row(
      name,
      `p50 ${p50.toFixed(2)} ms   p95 ${p95.toFixed(2)} ms   mean ${mean.toFixed(2)} ms   ${connected} let in, ${refused} not`,
    );
  const rounds = quiet.flatMap((round, index) => {
    const other = attacked[index];
    const report = reports[index];
    if (!other || !report) return [];
    const codes = Object.entries(report.codes).map(([code, count]) => `${count} × ${code}`);
    return [
      line(`round ${index + 1}, quiet`, round),
      line(`round ${index + 1}, attacked`, other),
      row('', `CONNACKs to guesses: ${codes.join(', ')}; the latest after ${whole(report.longestMs)} ms`),
    ];
  });
  return [
    `attack: ${devices} devices connect in ${options.seconds} s; in every other round ${whole(options.guesses)} passwords are guessed from the same address`,
    ...rounds,
    row(
      'attacked ÷ quiet',
      `p50 ${ratio.p50.toFixed(3)}   p95 ${ratio.p95.toFixed(3)}   mean ${ratio.mean.toFixed(3)}`,
    ),
  ].join('\n');
}
