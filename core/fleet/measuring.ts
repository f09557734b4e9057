import { isMetricKey, type MetricValue, type QuarantineReason } from './telemetry.ts';
import type {
  Enforcement,
  MetricMapping,
  MetricType,
  TemplateDefinition,
  TemplateMetric,
} from './templates.ts';

/** What can be wrong with a value by what its device is. Stable: people filter, alert and replay by them. */
export const MEASURING_FAULTS = ['UNKNOWN_METRIC', 'WRONG_TYPE', 'OUT_OF_RANGE', 'NOT_IN_ENUM'] as const;
export type MeasuringFault = (typeof MEASURING_FAULTS)[number];

/** Of a reading, the metrics that are not as they should be. */
export type MetricFlags = Readonly<Record<string, MeasuringFault>>;

/** What an active sensor of a device says of its metric. */
export interface SensorRule {
  readonly metric: string;
  readonly type: MetricType;
  readonly min: number | null;
  readonly max: number | null;
  /** Of an ENUM; empty where nobody said which. */
  readonly values: readonly string[];
}

/** All that decides what becomes of a device's values. */
export interface ProfileSource {
  readonly template: TemplateDefinition | undefined;
  /** The device's own first, then those of its modules in the order in which they were installed: of a raw name the first counts. */
  readonly maps: readonly (readonly MetricMapping[])[];
  /** The templates of installed modules, in the same order. */
  readonly modules: readonly TemplateDefinition[];
  readonly sensors: readonly SensorRule[];
}

/** What a value of a metric can be. */
export interface Bounds {
  readonly type: MetricType;
  readonly min: number;
  readonly max: number;
  /** Undefined: any text. */
  readonly values: ReadonlySet<string> | undefined;
}

/** What becomes of one raw name. */
interface Rule {
  readonly metric: string;
  readonly scale: number;
  readonly offset: number;
  readonly scales: boolean;
  /** Another raw name may lead to the same metric. */
  readonly contested: boolean;
  /** Undefined: nobody has modelled the metric. */
  readonly bounds: Bounds | undefined;
}

/** A `ProfileSource` made ready to be applied to readings; many devices share one. */
export interface Profile {
  /** By raw name. A name without a rule is stored as it is and unknown. */
  readonly rules: ReadonlyMap<string, Rule>;
  /** Whether names or values may change. */
  readonly maps: boolean;
  readonly unknownMetrics: Enforcement;
  readonly invalidValues: Enforcement;
  readonly discovers: boolean;
}

/** What became of the metrics of a reading. */
export interface Applied {
  readonly metrics: Readonly<Record<string, MetricValue>>;
  readonly flags: MetricFlags | undefined;
  /** The metrics nobody has modelled, where they are to become sensors. */
  readonly unknown: readonly string[] | undefined;
}

/** Why a reading is not stored; `raw` is the name that its device gave the metric. */
export interface MeasuringProblem {
  readonly reason: QuarantineReason;
  readonly detail: string;
  readonly raw: string;
}

/**
 * Makes a profile; undefined where readings stay as they are. A sensor says more than the device's template, and that more than the
 * template of a module. A mapping that is none (no metric key, not finite) is passed over.
 */
export function compileProfile(source: ProfileSource): Profile | undefined {
  const mappings = readMappings(source.maps);
  const { template } = source;
  const unknownMetrics = template?.unknownMetrics ?? 'ACCEPT';
  const invalidValues = template?.invalidValues ?? 'ACCEPT';
  const discovers = template?.discoverSensors === true && unknownMetrics !== 'QUARANTINE';
  const enforces = unknownMetrics !== 'ACCEPT' || invalidValues !== 'ACCEPT' || discovers;
  if (mappings.size === 0 && !enforces) return undefined;

  const known = enforces ? knownMetrics(source) : new Map<string, Bounds>();
  const targets = new Set([...mappings.values()].map(({ metric }) => metric));
  const rules = new Map<string, Rule>();
  const plain = { scale: 1, offset: 0, scales: false };
  for (const metric of new Set([...known.keys(), ...targets])) {
    rules.set(metric, {
      metric,
      ...plain,
      contested: targets.has(metric),
      bounds: known.get(metric),
    });
  }
  for (const [raw, { metric, scale, offset }] of mappings) {
    const scales = scale !== 1 || offset !== 0;
    rules.set(raw, { metric, scale, offset, scales, contested: true, bounds: known.get(metric) });
  }
  return { rules, maps: mappings.size > 0, unknownMetrics, invalidValues, discovers };
}

/** Gives the metrics of a reading their names and values, and judges them. The metrics given stay as they are. */
export function applyProfile(
  profile: Profile,
  metrics: Readonly<Record<string, MetricValue>>,
): Applied | { readonly problem: MeasuringProblem } {
  const mapped: Record<string, MetricValue> | undefined = profile.maps ? {} : undefined;
  let flags: Record<string, MeasuringFault> | undefined;
  let unknown: string[] | undefined;
  for (const raw in metrics) {
    const sent = metrics[raw];
    if (sent === undefined) continue;
    const rule = profile.rules.get(raw);
    const metric = rule === undefined ? raw : rule.metric;
    const value = rule?.scales && typeof sent === 'number' ? scaled(sent, rule.scale, rule.offset) : sent;
    if (mapped) {
      const wrong = put(mapped, metric, value, rule);
      if (wrong) return { problem: { ...wrong, raw } };
    }
    const bounds = rule?.bounds;
    const fault = bounds === undefined ? 'UNKNOWN_METRIC' : faultOf(bounds, value);
    if (fault === undefined) continue;
    if (fault === 'UNKNOWN_METRIC' && profile.discovers) {
      unknown ??= [];
      unknown.push(metric);
    }
    const policy = fault === 'UNKNOWN_METRIC' ? profile.unknownMetrics : profile.invalidValues;
    if (policy === 'ACCEPT') continue;
    if (policy === 'QUARANTINE')
      return { problem: { reason: fault, detail: detailOf(fault, metric, raw, value, bounds), raw } };
    flags ??= {};
    flags[metric] = fault;
  }
  return { metrics: mapped ?? metrics, flags, unknown };
}

function put(
  mapped: Record<string, MetricValue>,
  metric: string,
  value: MetricValue,
  rule: Rule | undefined,
): Pick<MeasuringProblem, 'reason' | 'detail'> | undefined {
  if (rule?.scales && typeof value === 'number' && !Number.isFinite(value))
    return { reason: 'BAD_VALUE', detail: `${metric}: not a finite number once it is scaled` };
  if (rule?.contested && Object.hasOwn(mapped, metric) && mapped[metric] !== value)
    return { reason: 'METRIC_CLASH', detail: `${metric} comes twice, with different values` };
  mapped[metric] = value;
  return undefined;
}

/** Below it a double holds a millionth. */
const EXACT_MILLIONTHS = Number.MAX_SAFE_INTEGER / 1e6;

/**
 * `raw × scale + offset`, without the noise of doubles: where a number of at most six decimals is within the error of the two
 * operations, it is that number. 3 × 0.1 is 0.3, so that it is within a range that ends at 0.3.
 */
export function scaled(raw: number, scale: number, offset: number): number {
  const product = raw * scale;
  const value = product + offset;
  if (Math.abs(value) > EXACT_MILLIONTHS) return value;
  const round = Math.round(value * 1e6) / 1e6;
  const error = 2 * Number.EPSILON * (Math.abs(product) + Math.abs(offset) + Math.abs(value));
  return Math.abs(round - value) <= error ? round : value;
}

/** What is wrong with a value; undefined where nothing is. */
export function faultOf(bounds: Bounds, value: MetricValue): MeasuringFault | undefined {
  switch (bounds.type) {
    case 'FLOAT':
    case 'INTEGER':
      if (typeof value !== 'number' || (bounds.type === 'INTEGER' && !Number.isInteger(value)))
        return 'WRONG_TYPE';
      return value < bounds.min || value > bounds.max ? 'OUT_OF_RANGE' : undefined;
    case 'BOOLEAN':
      return typeof value === 'boolean' ? undefined : 'WRONG_TYPE';
    case 'STRING':
      return typeof value === 'string' ? undefined : 'WRONG_TYPE';
    case 'ENUM':
      if (typeof value !== 'string') return 'WRONG_TYPE';
      return bounds.values === undefined || bounds.values.has(value) ? undefined : 'NOT_IN_ENUM';
  }
}

const TYPE_NAMES: Readonly<Record<MetricType, string>> = {
  FLOAT: 'a number',
  INTEGER: 'a whole number',
  BOOLEAN: 'true or false',
  STRING: 'a text',
  ENUM: 'a text',
};

function detailOf(
  fault: MeasuringFault,
  metric: string,
  raw: string,
  value: MetricValue,
  bounds: Bounds | undefined,
): string {
  const name = raw === metric ? metric : `${metric} (sent as ${raw})`;
  const said = JSON.stringify(value).slice(0, 64);
  if (!bounds) return `${name} is neither in the device's template nor a sensor of it`;
  if (fault === 'WRONG_TYPE') return `${name}: ${said} is not ${TYPE_NAMES[bounds.type]}`;
  if (fault === 'OUT_OF_RANGE') return `${name}: ${said} is not from ${bounds.min} to ${bounds.max}`;
  return `${name}: ${said} is not among its values`;
}

function readMappings(maps: ProfileSource['maps']): Map<string, MetricMapping> {
  const mappings = new Map<string, MetricMapping>();
  for (const { raw, metric, scale, offset } of maps.flat()) {
    const named = isMetricKey(raw) && isMetricKey(metric);
    if (named && Number.isFinite(scale) && Number.isFinite(offset) && !mappings.has(raw))
      mappings.set(raw, { raw, metric, scale, offset });
  }
  return mappings;
}

function knownMetrics({ template, modules, sensors }: ProfileSource): Map<string, Bounds> {
  const known = new Map<string, Bounds>();
  for (const definition of [template, ...modules])
    for (const metric of definition?.metrics ?? [])
      if (!known.has(metric.key)) known.set(metric.key, boundsOf(metric));
  for (const { metric, ...said } of sensors) {
    const modelled = known.get(metric);
    const own = boundsOf(said);
    const same = modelled?.type === own.type ? modelled : undefined;
    known.set(metric, {
      type: own.type,
      min: said.min === null ? (same?.min ?? own.min) : own.min,
      max: said.max === null ? (same?.max ?? own.max) : own.max,
      values: own.values ?? same?.values,
    });
  }
  return known;
}

const boundsOf = ({
  type,
  min,
  max,
  values,
}: Pick<TemplateMetric, 'type' | 'min' | 'max' | 'values'>): Bounds => ({
  type,
  min: min ?? -Infinity,
  max: max ?? Infinity,
  values: values.length > 0 ? new Set(values) : undefined,
});
