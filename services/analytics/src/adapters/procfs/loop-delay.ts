import { type IntervalHistogram, monitorEventLoopDelay } from "node:perf_hooks";

const RESOLUTION_MS = 10;

/** How late this process's event loop is, beyond the timer's own period. */
export class LoopDelay {
  readonly #histogram: IntervalHistogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });

  constructor() {
    this.#histogram.enable();
  }

  /** 99th percentile since the last call. */
  takeP99Ms(): number {
    const p99Ms = this.#histogram.percentile(99) / 1e6 - RESOLUTION_MS;
    this.#histogram.reset();
    return Math.max(0, Number.isFinite(p99Ms) ? p99Ms : 0);
  }

  close(): void {
    this.#histogram.disable();
  }
}
