import { sleep } from "@huishi/kernel";
import { LinePace, type LineReading } from "../domain/line-pace.ts";
import type { UplinkBudget } from "../domain/uplink-budget.ts";

const READ_MS = 250;

/** Keeps media to what the line takes beside the events, where nobody has set a ceiling or has set one too high. */
export class UplinkPacer {
  readonly #line: { read(): LineReading };
  readonly #budget: UplinkBudget;
  readonly #pace = new LinePace();

  constructor(line: { read(): LineReading }, budget: UplinkBudget) {
    this.#line = line;
    this.#budget = budget;
  }

  /** A batch of events was acknowledged after so long. */
  acknowledged(tookMs: number): void {
    this.#pace.acknowledged(tookMs, this.#line.read().nowMs);
  }

  /** Until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      this.#pace.observe(this.#line.read());
      this.#budget.lineBytesPerSecond = this.#pace.bytesPerSecond;
      await sleep(READ_MS, signal).catch(() => undefined);
    }
  }
}
