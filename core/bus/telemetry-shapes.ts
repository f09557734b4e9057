import { inDatabaseOrder } from '../fleet/metric-order.ts';

type Values = Readonly<Record<string, number | boolean | string>>;

/** A set of names, in the order in which a device sends them. */
interface Shape {
  readonly names: readonly string[];
  readonly text: string;
  /** What stands before each value in JSON text, in the order in which PostgreSQL keeps the members of jsonb: shorter names first. */
  readonly members: readonly { readonly name: string; readonly before: string }[];
}

/** A fleet sends the same names over and over: those of the last reading are remembered. */
let last: Shape = { names: [], text: '', members: [] };

/** The names of the metrics of a reading, joined by commas, as EVENTS tells them. */
export const shapeOf = (metrics: Readonly<Record<string, unknown>>): string => readShape(metrics).text;

/**
 * Metrics as JSON text, in the order in which the database would put them: it need not sort them then.
 * @param metrics finite numbers, and names of ASCII characters of which none must be escaped
 */
export function metricsJson(metrics: Values): string {
  let text = '{';
  for (const { name, before } of readShape(metrics).members) {
    const value = metrics[name];
    text += before + (typeof value === 'string' ? JSON.stringify(value) : value);
  }
  return `${text}}`;
}

function readShape(metrics: Readonly<Record<string, unknown>>): Shape {
  let place = 0;
  for (const name in metrics) {
    if (name !== last.names[place]) return rememberShape(metrics);
    place++;
  }
  return place === last.names.length ? last : rememberShape(metrics);
}

function rememberShape(metrics: Readonly<Record<string, unknown>>): Shape {
  const names = Object.keys(metrics);
  const ordered = names.toSorted(inDatabaseOrder);
  const members = ordered.map((name, place) => ({ name, before: `${place === 0 ? '' : ','}"${name}":` }));
  last = { names, text: names.join(), members };
  return last;
}
