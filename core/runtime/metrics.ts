import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

/** Declares the metrics of one process. Names become `fleetgraph_<process>_<name>`; labels must stay few-valued. */
export interface Metrics {
  readonly registry: Registry;
  counter<Label extends string = never>(
    name: string,
    help: string,
    labels?: readonly Label[],
  ): Counter<Label>;
  /** With `read`, the value is asked for at each scrape instead of being set. */
  gauge<Label extends string = never>(
    name: string,
    help: string,
    labels?: readonly Label[],
    read?: () => number,
  ): Gauge<Label>;
  histogram<Label extends string = never>(
    name: string,
    help: string,
    buckets: readonly number[],
    labels?: readonly Label[],
  ): Histogram<Label>;
}

/** Seconds, from half a millisecond to half a minute. */
export const LATENCY_SECONDS = [
  0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30,
];

/** A fresh registry with the runtime's own metrics (CPU, memory, event loop) in it. */
export function createMetrics(process: string): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const named = (name: string) => `fleetgraph_${process}_${name}`;
  return {
    registry,
    counter: (name, help, labels = []) =>
      new Counter({ name: named(name), help, labelNames: [...labels], registers: [registry] }),
    gauge: (name, help, labels = [], read) =>
      new Gauge({
        name: named(name),
        help,
        labelNames: [...labels],
        registers: [registry],
        ...(read && {
          collect() {
            this.set(read());
          },
        }),
      }),
    histogram: (name, help, buckets, labels = []) =>
      new Histogram({
        name: named(name),
        help,
        labelNames: [...labels],
        buckets: [...buckets],
        registers: [registry],
      }),
  };
}
