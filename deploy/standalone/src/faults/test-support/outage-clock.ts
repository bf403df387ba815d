import type { Clock } from "@huishi/kernel";

/**
 * A wall clock that lies a span behind the true one until an outage begins, runs so many times faster through it, and is
 * the true one from the end of the span on: an outage that is over now, without the wait.
 */
export class OutageClock implements Clock {
  readonly #spanMs: number;
  readonly #speed: number;
  readonly #trueMs: () => number;
  #begunMs: number | null = null;

  constructor(options: { readonly spanMs: number; readonly speed: number; readonly trueMs?: () => number }) {
    this.#spanMs = options.spanMs;
    this.#speed = options.speed;
    this.#trueMs = options.trueMs ?? Date.now;
  }

  beginOutage(): void {
    this.#begunMs ??= this.#trueMs();
  }

  get isTrue(): boolean {
    return this.nowMs() === this.#trueMs();
  }

  nowMs(): number {
    const trueMs = this.#trueMs();
    const elapsedMs = this.#begunMs === null ? 0 : trueMs - this.#begunMs;
    const from = this.#begunMs ?? trueMs;
    return Math.min(trueMs, Math.round(from - this.#spanMs + elapsedMs * this.#speed));
  }
}
