/** A token bucket: so many values a second on average, so many at once. What is above is dropped (dropNewest). */
export class ValueRate {
  readonly #perSecond: number;
  readonly #burst: number;
  #tokens: number;
  #atMs: number;

  constructor(limits: { perSecond: number; burst: number }, nowMs: number) {
    this.#perSecond = limits.perSecond;
    this.#burst = limits.burst;
    this.#tokens = limits.burst;
    this.#atMs = nowMs;
  }

  /** @returns whether so many values may come in; none of them do when it is false */
  take(nowMs: number, values: number): boolean {
    const elapsedMs = Math.max(0, nowMs - this.#atMs);
    this.#atMs = nowMs;
    this.#tokens = Math.min(this.#burst, this.#tokens + (elapsedMs * this.#perSecond) / 1_000);
    if (this.#tokens < values) return false;
    this.#tokens -= values;
    return true;
  }
}
