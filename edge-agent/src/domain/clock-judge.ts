import { FaultLatch } from "@huishi/kernel";

/** A camera's clock is adrift beyond `enterMs` twice in a row, and well again below `leaveMs` twice in a row. */
const CLOCK_LIMITS = { enterMs: 2_000, leaveMs: 1_000, samples: 2 } as const;

export class ClockJudge {
  readonly #limits: { readonly enterMs: number; readonly leaveMs: number; readonly samples: number };
  readonly #latch: FaultLatch;

  constructor(limits: ClockJudge["limits"] = CLOCK_LIMITS) {
    this.#limits = limits;
    const { samples } = limits;
    this.#latch = new FaultLatch({ enterMs: 0, enterSamples: samples, exitMs: 0, exitSamples: samples });
  }

  get limits(): { readonly enterMs: number; readonly leaveMs: number; readonly samples: number } {
    return this.#limits;
  }

  get sinceMs(): number | null {
    return this.#latch.sinceMs;
  }

  observe(offsetMs: number, atMs: number): void {
    const off = Math.abs(offsetMs);
    const { enterMs, leaveMs } = this.#limits;
    this.#latch.observe(off > enterMs ? "bad" : off < leaveMs ? "good" : "between", atMs);
  }
}
