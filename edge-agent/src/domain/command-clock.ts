/**
 * How late a message is, without a clock like the sender's: the quickest one so far sets how far the clocks lie apart
 * (as in NTP's minimum filter), and a later one is late by as much as it took longer than that.
 */
export class CommandClock {
  #quickestMs = Number.POSITIVE_INFINITY;

  /**
   * @param nowMs by any clock that does not step
   * @returns milliseconds that the message took longer than the quickest one; 0 for the first
   */
  lateness(issuedAtMs: number, nowMs: number): number {
    const tookMs = nowMs - issuedAtMs;
    this.#quickestMs = Math.min(this.#quickestMs, tookMs);
    return tookMs - this.#quickestMs;
  }

  /** The sender's clock may have been set. */
  forget(): void {
    this.#quickestMs = Number.POSITIVE_INFINITY;
  }
}
