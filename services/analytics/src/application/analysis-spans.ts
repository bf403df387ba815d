import type { FaultLog } from "./fault-log.ts";

/** From when to when the pictures of one camera were analysed. */
export interface AnalysisSpan {
  readonly cameraNo: number;
  readonly beganMs: number;
  readonly untilMs: number;
  readonly frames: number;
}

export interface SpanStore {
  /** Writes spans by camera and begin; one that is there already only grows. */
  writeSpans(spans: readonly AnalysisSpan[]): Promise<void>;
}

/** Without a frame for longer than the rule engine bridges, nobody looked. */
const GAP_MS = 15_000;
const FLUSH_MS = 10_000;
/** A span is no longer, so that its frames tell how often one looked at that time. */
const LONGEST_MS = 600_000;

const DELAYED = {
  code: "SPANS_DELAYED",
  message:
    "when cameras were analysed cannot be written; it is kept and tried again: check that PostgreSQL runs",
};

/**
 * Remembers when each camera was looked at. A frame with nothing in it leaves no detection: only this tells "nobody was
 * there" from "nobody looked". One small row a camera and stretch, written every ten seconds; a crash costs the last ten.
 */
export class AnalysisSpans {
  readonly #store: SpanStore;
  readonly #faults: FaultLog;
  readonly #timer: NodeJS.Timeout;
  #current = new Map<number, AnalysisSpan>();
  /** Spans that grew since they were written, the ended ones included; at most one a camera and gap. */
  #due = new Map<string, AnalysisSpan>();
  #flushing: Promise<void> | null = null;

  constructor(options: { readonly store: SpanStore; readonly faults: FaultLog }) {
    this.#store = options.store;
    this.#faults = options.faults;
    this.#timer = setInterval(() => void this.flush(), FLUSH_MS);
    this.#timer.unref();
  }

  /** A frame was analysed. */
  saw(cameraNo: number, capturedAtMs: number): void {
    const current = this.#current.get(cameraNo);
    const elapsedMs = current ? capturedAtMs - current.untilMs : Infinity;
    // A late frame adds nothing; a clock that was set back begins anew.
    if (elapsedMs <= 0 && elapsedMs > -GAP_MS) return;
    const isOne =
      current !== undefined &&
      elapsedMs > 0 &&
      elapsedMs <= GAP_MS &&
      capturedAtMs - current.beganMs <= LONGEST_MS;
    const span: AnalysisSpan = isOne
      ? { ...current, untilMs: capturedAtMs, frames: current.frames + 1 }
      : { cameraNo, beganMs: capturedAtMs, untilMs: capturedAtMs, frames: 1 };
    this.#current.set(cameraNo, span);
    this.#due.set(`${cameraNo}/${span.beganMs}`, span);
  }

  flush(): Promise<void> {
    this.#flushing ??= this.#write().finally(() => {
      this.#flushing = null;
    });
    return this.#flushing;
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#flushing;
    await this.flush();
  }

  async #write(): Promise<void> {
    const due = this.#due;
    if (due.size === 0) return;
    this.#due = new Map();
    try {
      await this.#store.writeSpans([...due.values()]);
      this.#faults.recovered(DELAYED.code);
    } catch (error) {
      this.#faults.report(error, DELAYED);
      for (const [key, span] of due) if (!this.#due.has(key)) this.#due.set(key, span);
    }
  }
}
