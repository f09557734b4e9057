import type { Template } from './template-documents.ts';

type Metric = Template['metrics'][number];
type Value = number | string | boolean;

/** What a device of a template may send first: a value that fits for each required metric, else for the first three. */
export function exampleReading(metrics: readonly Metric[]): Readonly<Record<string, Value>> {
  const required = metrics.filter((metric) => metric.required);
  const sent = required.length > 0 ? required : metrics.slice(0, 3);
  return Object.fromEntries(sent.map((metric) => [metric.key, exampleValue(metric)]));
}

function exampleValue({ type, min, max, values }: Metric): Value {
  if (type === 'BOOLEAN') return true;
  if (type === 'STRING') return 'hello';
  if (type === 'ENUM') return values[0] ?? '';
  const middle = min !== null && max !== null ? (min + max) / 2 : (min ?? max ?? 21.5);
  return type === 'INTEGER' ? Math.round(middle) : Number(middle.toPrecision(6));
}
