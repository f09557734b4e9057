import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Files that take more than 20 s, longest first: begun last, one of them would be waited for alone. */
const LONG = [
  'kill',
  'isolation',
  'commands',
  'gateway-hostile',
  'required-metrics',
  'known-set',
  'gateway-limits',
  'presence',
  'gateway-attack',
  'gateway-fuzz',
  'standalone-platform',
  'gateway-replicas',
  'shadow',
  'bus',
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
