import type { DeviceIdentity, FoundIdentity, MeasuringTexts, TemplateRef } from '#core/db/devices.ts';
import { compileProfile, type Profile, type SensorRule } from '#core/fleet/measuring.ts';
import type { MetricMapping, MetricType, TemplateDefinition } from '#core/fleet/templates.ts';

export type FindDefinitions = (
  wanted: readonly TemplateRef[],
) => Promise<(TemplateRef & { readonly definition: TemplateDefinition })[]>;

export interface Profiles {
  /** The identities with their profiles; at most one query, and none for templates that are remembered. */
  attach(found: readonly FoundIdentity[]): Promise<DeviceIdentity[]>;
  /** Forgets every template. */
  clear(): void;
}

type ModuleEntry = readonly [templateId: number, version: number, map: readonly MetricMapping[]];
type SensorEntry = readonly [
  metric: string,
  type: MetricType,
  min: number | null,
  max: number | null,
  templateMetric: string | null,
  moduleTemplateId: number | null,
  moduleVersion: number | null,
];

/** The parts of `MeasuringTexts`, read. */
interface Measuring {
  readonly template: TemplateRef | undefined;
  readonly map: readonly MetricMapping[];
  readonly modules: readonly ModuleEntry[];
  readonly sensors: readonly SensorEntry[];
}

interface Remembered {
  /** Undefined when there is no such version. */
  readonly definition: TemplateDefinition | undefined;
  readonly text: string;
  readonly staleAt: number;
}

interface Compiled {
  readonly profile: Profile | undefined;
  /** Of which definitions it was made; it is good as long as they are. */
  readonly definitions: readonly (TemplateDefinition | undefined)[];
}

/** Even when a change was not heard of, it is noticed after this long. */
const TTL_MS = 30_000;

/**
 * Compiles profiles, each once for all devices whose template version, maps, modules and sensors are the same. Bounded by
 * `maxEntries` in either of its two caches. `now` is a clock in milliseconds.
 */
export function createProfiles(
  find: FindDefinitions,
  maxEntries: number,
  now: () => number = Date.now,
): Profiles {
  const definitions = new Map<string, Remembered>();
  const compiled = new Map<string, Compiled>();

  const load = async (wanted: readonly TemplateRef[]): Promise<void> => {
    const missing = new Map<string, TemplateRef>();
    for (const ref of wanted) {
      const known = definitions.get(nameOf(ref));
      if (!known || known.staleAt <= now()) missing.set(nameOf(ref), ref);
    }
    if (missing.size === 0) return;
    const found = new Map((await find([...missing.values()])).map((each) => [nameOf(each), each.definition]));
    if (definitions.size + missing.size > maxEntries) definitions.clear();
    for (const name of missing.keys()) {
      const read = found.get(name);
      const text = JSON.stringify(read) ?? '';
      const known = definitions.get(name);
      const definition = known?.text === text ? known.definition : read && completed(read);
      definitions.set(name, { definition, text, staleAt: now() + TTL_MS });
    }
  };

  const definitionOf = (ref: TemplateRef | undefined) => ref && definitions.get(nameOf(ref))?.definition;

  const profileOf = (texts: MeasuringTexts, measuring: Measuring): Profile | undefined => {
    const name = keyOf(texts);
    const wanted = refsOf(measuring).map(definitionOf);
    const known = compiled.get(name);
    if (known && wanted.every((definition, index) => known.definitions[index] === definition))
      return known.profile;
    const profile = compile(measuring, definitionOf);
    if (compiled.size >= maxEntries) compiled.clear();
    compiled.set(name, { profile, definitions: wanted });
    return profile;
  };

  return {
    async attach(found) {
      const read = new Map<string, Measuring>();
      for (const { measuring } of found)
        if (measuring && !read.has(keyOf(measuring))) read.set(keyOf(measuring), readMeasuring(measuring));
      if (read.size > 0) await load([...read.values()].flatMap(refsOf));
      return found.map(({ measuring, ...identity }) => {
        const known = measuring && read.get(keyOf(measuring));
        return known ? { ...identity, profile: profileOf(measuring, known) } : identity;
      });
    },
    clear() {
      definitions.clear();
      compiled.clear();
    },
  };
}

/** With what its version did not say yet. */
const completed = (definition: Partial<TemplateDefinition>): TemplateDefinition => ({
  ...{ commands: [], slots: [], transports: [], expectedIntervalSeconds: null },
  ...{ unknownMetrics: 'ACCEPT', invalidValues: 'ACCEPT', discoverSensors: false },
  ...definition,
  metrics: (definition.metrics ?? []).map((metric) => ({ ...metric, values: metric.values ?? [] })),
});

const nameOf = ({ templateId, version }: TemplateRef): string => `${templateId}/${version}`;

const keyOf = ({ template, map, modules, sensors }: MeasuringTexts): string =>
  `${template ? nameOf(template) : ''}\n${map}\n${modules}\n${sensors}`;

const readMeasuring = ({ template, map, modules, sensors }: MeasuringTexts): Measuring => ({
  template,
  map: JSON.parse(map) as readonly MetricMapping[],
  modules: JSON.parse(modules) as readonly ModuleEntry[],
  sensors: JSON.parse(sensors) as readonly SensorEntry[],
});

/** Every template version that a profile is made of, in a fixed order. */
const refsOf = ({ template, modules, sensors }: Measuring): TemplateRef[] => [
  ...(template ? [template] : []),
  ...modules.map(([templateId, version]) => ({ templateId, version })),
  ...sensors.flatMap(([, , , , , templateId, version]) =>
    templateId === null || version === null ? [] : [{ templateId, version }],
  ),
];

function compile(
  { template, map, modules, sensors }: Measuring,
  definitionOf: (ref: TemplateRef | undefined) => TemplateDefinition | undefined,
): Profile | undefined {
  const own = definitionOf(template);
  const rules = sensors.map(
    ([metric, type, min, max, templateMetric, moduleTemplateId, version]): SensorRule => {
      const module = moduleTemplateId !== null && version !== null;
      const of = module ? definitionOf({ templateId: moduleTemplateId, version }) : own;
      const modelled = of?.metrics.find(({ key }) => key === templateMetric);
      return { metric, type, min, max, values: modelled?.values ?? [] };
    },
  );
  return compileProfile({
    template: own,
    maps: [map, ...modules.map(([, , own]) => own)],
    modules: modules.flatMap(([templateId, version]) => definitionOf({ templateId, version }) ?? []),
    sensors: rules,
  });
}
