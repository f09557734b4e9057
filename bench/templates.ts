import { benchIngest, type IngestBench, type IngestResult, isSound } from './ingest.ts';
import { median } from './median.ts';
import type { BenchPlatform } from './platform.ts';
import { platformCpu } from './print.ts';

/** How much more a message may cost whose device has a template, a map and sensors. */
export const TEMPLATE_RATIO = 1.15;

export interface TemplatesResult {
  /** Of devices without anything and of devices with templates, in turns. */
  readonly plain: readonly IngestResult[];
  readonly modelled: readonly IngestResult[];
  /** CPU of a message with templates to one without, in the whole platform and in ingest, and the acknowledged rates: medians of the rounds. */
  readonly ratio: { readonly platform: number; readonly ingest: number; readonly rate: number };
}

/** The same load from devices without and with templates, in turns on one platform. */
export async function benchTemplates(
  platform: BenchPlatform,
  options: IngestBench,
  rounds: number,
  say: (line: string) => void,
): Promise<TemplatesResult> {
  const plain: IngestResult[] = [];
  const modelled: IngestResult[] = [];
  for (let round = 1; round <= rounds; round++) {
    // Whoever comes second finds a larger database: the order changes.
    for (const templates of round % 2 === 1 ? [false, true] : [true, false]) {
      say(`round ${round} of ${rounds}, ${templates ? 'with' : 'without'} templates`);
      (templates ? modelled : plain).push(
        await benchIngest(platform, { ...options, templates }, () => undefined),
      );
    }
  }
  const between = (figure: (result: IngestResult) => number) =>
    median(modelled.map(figure)) / median(plain.map(figure));
  const ratio = {
    platform: between(platformCpu),
    ingest: between(ingestCpu),
    rate: between((result) => result.acknowledgedRate),
  };
  return { plain, modelled, ratio };
}

const ingestCpu = ({ cpu }: IngestResult): number => cpu.get('ingest') ?? Number.NaN;

/** Every round sound, and a message with templates no dearer than promised, nor slower. */
export const holdsWithTemplates = ({ plain, modelled, ratio }: TemplatesResult): boolean =>
  [...plain, ...modelled].every(isSound) &&
  ratio.platform <= TEMPLATE_RATIO &&
  ratio.ingest <= TEMPLATE_RATIO &&
  ratio.rate >= 1 / TEMPLATE_RATIO;

/** The result of `bench ingest --templates` for people. */
export function describeTemplates({ plain, modelled, ratio }: TemplatesResult): string {
  const line = (name: string, { acknowledgedRate, verdict, stored, ...result }: IngestResult) =>
    `  ${name.padEnd(22)}${Math.round(acknowledgedRate).toLocaleString('en-US')} msg/s   ${verdict.lost} lost, ${verdict.doubled} doubled   ` +
    `stored p95 ${stored.p95.toFixed(0)} ms   CPU a message ${platformCpu(result).toFixed(1)} µs, ingest ${(result.cpu.get('ingest') ?? 0).toFixed(1)} µs`;
  return [
    'ingest with templates: the same load from devices with a template, a map, sensors and enforcement, and without, in turns',
    ...plain.flatMap((without, index) => {
      const other = modelled[index];
      return [
        line(`round ${index + 1}, without`, without),
        ...(other ? [line(`round ${index + 1}, with`, other)] : []),
      ];
    }),
    `  with ÷ without        platform ${ratio.platform.toFixed(3)}   ingest ${ratio.ingest.toFixed(3)}   rate ${ratio.rate.toFixed(3)}   (at most ${TEMPLATE_RATIO})`,
  ].join('\n');
}
