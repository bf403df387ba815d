/**
 * How many inferences a frame may cost: all that is of use while the process has time, fewer when it has not, so that it
 * gives up close looks before it gives up frames.
 */

/** Inferences a frame, mean over a camera's frames: with this nothing that is of use is refused. */
const MOST = 4;
/** One look every fourth frame is the least: below it tracks would be guesses. */
const LEAST = 0.25;
/** What new cameras begin with. */
const FIRST = 1;
/** What a camera that saw nothing may save up for a busy moment. */
const SAVED = 4;
const WINDOW_MS = 500;
/** Share of the time spent on frames above which there is too little time, and below which there is more. */
const BUSY = 0.88;
const IDLE = 0.75;
/** A frame that waited so long says the same, whatever the share. */
const LATE_MS = 150;
/** What waited longer than this gets no inference: the queue must become shorter at once. */
const TOO_LATE_MS = 350;
const FEWER = 0.8;
const MORE = 1.06;

/** The process's share of time; every camera draws on it through its own `InferenceCredit`. */
export class InferenceBudget {
  #perFrame = FIRST;
  #windowFromMs: number | null = null;
  #busyMs = 0;
  #longestWaitMs = 0;

  /** Inferences a frame, mean, that each camera may spend now. */
  get perFrame(): number {
    return this.#perFrame;
  }

  /** A frame was analysed. @param atMs on any steady clock, when it was done */
  spent({ busyMs, waitedMs, atMs }: { busyMs: number; waitedMs: number; atMs: number }): void {
    this.#windowFromMs ??= atMs - busyMs;
    this.#busyMs += busyMs;
    this.#longestWaitMs = Math.max(this.#longestWaitMs, waitedMs);
    const elapsedMs = atMs - this.#windowFromMs;
    if (elapsedMs >= WINDOW_MS) this.#adapt(this.#busyMs / elapsedMs, atMs);
  }

  #adapt(share: number, atMs: number): void {
    if (share > BUSY || this.#longestWaitMs > LATE_MS) this.#perFrame *= FEWER;
    else if (share < IDLE) this.#perFrame *= MORE;
    this.#perFrame = Math.min(Math.max(this.#perFrame, LEAST), MOST);
    this.#windowFromMs = atMs;
    this.#busyMs = 0;
    this.#longestWaitMs = 0;
  }
}

/** One camera's claims on the budget: all cameras earn alike, and what one does not use is there for its busy moments. */
export class InferenceCredit {
  readonly #budget: InferenceBudget;
  #credit = 1;

  constructor(budget: InferenceBudget) {
    this.#budget = budget;
  }

  /** Inferences that the next frame may cost. @param waitedMs how long the frame has waited */
  next(waitedMs: number): number {
    this.#credit = Math.min(this.#credit + this.#budget.perFrame, SAVED);
    return waitedMs > TOO_LATE_MS ? 0 : Math.floor(this.#credit);
  }

  spend(inferences: number): void {
    this.#credit = Math.max(0, this.#credit - inferences);
  }
}
