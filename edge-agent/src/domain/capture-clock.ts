/** Longest a camera's clock is trusted without a new smallest delay; then the offset may rise again. */
const WINDOW_MS = 10_000;
/** Fastest rise of the offset: 0.5 ms a second covers a crystal that is 500 ppm off. */
const MAX_RISE_PER_MS = 0.0005;
/** A step of the stream's own time beyond this is a new time base (camera restarted its clock). */
const JUMP_MS = 2_000;

/**
 * Turns presentation times into capture times on the agent's clock. Network and probing only ever add delay,
 * so the smallest (arrival - pts) of the last seconds is the best estimate of the offset: it falls at once and
 * rises slowly (after a window without a new minimum), so that jitter does not show. Results never lie in the
 * future and never run backwards.
 */
export class CaptureClock {
  #offsetMs: number | null = null;
  #windowMinMs = Number.POSITIVE_INFINITY;
  #windowStartMs = 0;
  #targetMs = 0;
  #lastArrivalMs = 0;
  #lastPtsMs = 0;
  #lastCapturedMs = 0;

  /**
   * @param ptsMs presentation times of units that arrived together, in order
   * @param arrivedAtMs agent clock when they arrived
   * @returns capture times in milliseconds since the epoch, one a unit, whole numbers
   */
  capture(ptsMs: readonly number[], arrivedAtMs: number): number[] {
    for (const pts of ptsMs) this.#observe(pts, arrivedAtMs);
    this.#slew(arrivedAtMs);
    return ptsMs.map((pts) => {
      const estimate = Math.min(arrivedAtMs, Math.round(pts + (this.#offsetMs ?? 0)));
      // When the agent's clock was set back, "never in the future" wins over "never backwards".
      this.#lastCapturedMs = Math.min(arrivedAtMs, Math.max(this.#lastCapturedMs, estimate));
      return this.#lastCapturedMs;
    });
  }

  #observe(ptsMs: number, arrivedAtMs: number): void {
    const observedMs = arrivedAtMs - ptsMs;
    const ptsStepMs = ptsMs - this.#lastPtsMs;
    const arrivalStepMs = arrivedAtMs - this.#lastArrivalMs;
    this.#lastPtsMs = ptsMs;
    const jumped = ptsStepMs < -JUMP_MS || ptsStepMs > arrivalStepMs + JUMP_MS || arrivalStepMs < -JUMP_MS;
    if (this.#offsetMs === null || jumped) {
      this.#offsetMs = observedMs;
      this.#targetMs = observedMs;
      this.#windowMinMs = observedMs;
      this.#windowStartMs = arrivedAtMs;
      this.#lastArrivalMs = arrivedAtMs;
      return;
    }
    this.#windowMinMs = Math.min(this.#windowMinMs, observedMs);
    if (observedMs < this.#offsetMs) {
      this.#offsetMs = observedMs;
      this.#targetMs = observedMs;
    }
  }

  #slew(arrivedAtMs: number): void {
    const elapsedMs = Math.max(0, arrivedAtMs - this.#lastArrivalMs);
    this.#lastArrivalMs = arrivedAtMs;
    if (arrivedAtMs - this.#windowStartMs >= WINDOW_MS) {
      this.#targetMs = this.#windowMinMs;
      // A whole window that far off is no delay: one of the two clocks was set.
      if (this.#targetMs - (this.#offsetMs ?? 0) > JUMP_MS) this.#offsetMs = this.#targetMs;
      this.#windowMinMs = Number.POSITIVE_INFINITY;
      this.#windowStartMs = arrivedAtMs;
    }
    const offsetMs = this.#offsetMs ?? 0;
    if (this.#targetMs > offsetMs) {
      this.#offsetMs = Math.min(this.#targetMs, offsetMs + elapsedMs * MAX_RISE_PER_MS);
    }
  }
}
