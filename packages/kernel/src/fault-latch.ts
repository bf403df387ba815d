/** How long a fault must be seen before it is told, and be gone before it is taken back. */
export interface LatchLimits {
  readonly enterMs: number;
  readonly enterSamples: number;
  readonly exitMs: number;
  readonly exitSamples: number;
}

/** `between` is neither bad enough to enter nor good enough to leave; `unknown` says nothing at all. */
export type Finding = "bad" | "between" | "good" | "unknown";

/** One fault with persistence both ways: never told on one sample, never taken back on one. */
export class FaultLatch {
  readonly #limits: LatchLimits;
  #isOn = false;
  #sinceMs = 0;
  #runFromMs: number | null = null;
  #runSamples = 0;

  constructor(limits: LatchLimits) {
    this.#limits = limits;
  }

  /** Time of the first bad sample while the fault holds; null while there is none. */
  get sinceMs(): number | null {
    return this.#isOn ? this.#sinceMs : null;
  }

  /** True while bad samples add up that have not made a fault yet. */
  get isEntering(): boolean {
    return !this.#isOn && this.#runSamples > 0;
  }

  observe(finding: Finding, atMs: number): void {
    if (finding === "unknown") return;
    if (finding !== (this.#isOn ? "good" : "bad")) {
      this.#runFromMs = null;
      this.#runSamples = 0;
      return;
    }
    this.#runFromMs ??= atMs;
    this.#runSamples += 1;
    const { enterMs, enterSamples, exitMs, exitSamples } = this.#limits;
    const heldMs = atMs - this.#runFromMs;
    const isDue = this.#isOn
      ? heldMs >= exitMs && this.#runSamples >= exitSamples
      : heldMs >= enterMs && this.#runSamples >= enterSamples;
    if (!isDue) return;
    this.#isOn = !this.#isOn;
    this.#sinceMs = this.#runFromMs;
    this.#runFromMs = null;
    this.#runSamples = 0;
  }
}
