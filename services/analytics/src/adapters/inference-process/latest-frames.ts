/** What waits for the detector: the newest frame of each key, in the order in which the keys began to wait. */

/** Bounded by the number of keys: latest frame wins, so that a busy process is late by one frame at most. */
export class LatestFrames<K, F> {
  readonly #waiting = new Map<K, F>();

  /** Returns true when an older frame of the key was superseded; the key keeps its place in the queue. */
  put(key: K, frame: F): boolean {
    const superseded = this.#waiting.has(key);
    this.#waiting.set(key, frame);
    return superseded;
  }

  take(): { readonly key: K; readonly frame: F } | undefined {
    for (const [key, frame] of this.#waiting) {
      this.#waiting.delete(key);
      return { key, frame };
    }
    return undefined;
  }

  delete(key: K): void {
    this.#waiting.delete(key);
  }
}
