import { Counter, Gauge, Histogram, Registry } from "prom-client";

export { type Counter, type Gauge, type Histogram, Registry } from "prom-client";

const NAME = /^huishi_[a-z][a-z0-9]*(_[a-z0-9]+)+$/;

export interface MetricOptions {
  /** `huishi_<thing>_<unit>`; counters end in `_total`. */
  readonly name: string;
  readonly help: string;
  readonly labelNames?: readonly string[];
}

/** Makes the metrics of one service in a registry of its own, and holds their names to the house form. */
export class Metrics {
  readonly registry = new Registry();

  /** @param collect called at each scrape, after a reset, to add what was counted elsewhere */
  counter(options: MetricOptions & { readonly collect?: (counter: Counter) => void }): Counter {
    if (!options.name.endsWith("_total")) throw new TypeError(`${options.name}: a counter ends in _total`);
    const { collect } = options;
    return new Counter({
      ...this.#complete(options),
      ...(collect && {
        collect(this: Counter) {
          this.reset();
          collect(this);
        },
      }),
    });
  }

  /** @param collect called at each scrape to set the value */
  gauge(options: MetricOptions & { readonly collect?: (gauge: Gauge) => void }): Gauge {
    const { collect } = options;
    return new Gauge({
      ...this.#complete(options),
      ...(collect && {
        collect(this: Gauge) {
          collect(this);
        },
      }),
    });
  }

  /** @param buckets upper bounds in the unit that the name says */
  histogram(options: MetricOptions & { readonly buckets: readonly number[] }): Histogram {
    return new Histogram({ ...this.#complete(options), buckets: [...options.buckets] });
  }

  /** Prometheus text format 0.0.4. */
  text(): Promise<string> {
    return this.registry.metrics();
  }

  #complete(options: MetricOptions): {
    name: string;
    help: string;
    labelNames: string[];
    registers: Registry[];
  } {
    if (!NAME.test(options.name))
      throw new TypeError(`${options.name} is not of the form huishi_<thing>_<unit>`);
    return {
      name: options.name,
      help: options.help,
      labelNames: [...(options.labelNames ?? [])],
      registers: [this.registry],
    };
  }
}
