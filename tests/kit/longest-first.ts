import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Files that take more than 20 s, longest first: begun last, one of them would be waited for alone. */
const LONG = [
  'kill',
  'isolation',
  'gateway-limits',
  'commands',
  'gateway-hostile',
  'api-live-recovery',
  'template-changes',
  'presence',
  'required-metrics',
  'standalone-platform',
  'known-set',
  'gateway-fuzz',
  'gateway-attack',
  'shadow',
  'gateway-replicas',
  'conservation',
  'gateway-overload',
].map((name) => `/integration/${name}.test.ts`);

/** The long files first, the others as vitest orders them. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const others = await super.sort(files);
    const placeOf = ({ moduleId }: TestSpecification) => {
      const place = LONG.findIndex((path) => moduleId.endsWith(path));
      return place < 0 ? LONG.length : place;
    };
    return others.toSorted((a, b) => placeOf(a) - placeOf(b));
  }
}
