/** What waits for the detector: the newest frames of each camera, the cameras in turn. */

/** Each key's queue is bounded, drop-oldest: a moment's delay costs nothing, a busy process is never late by more. */
export class PendingFrames<K, F> {
  readonly #framesPerKey: number;
  /** In the order in which the keys are served. */
  readonly #waiting = new Map<K, F[]>();

  constructor(framesPerKey: number) {
    this.#framesPerKey = framesPerKey;
  }

  /** Returns the key's oldest frame when it had to go. */
  put(key: K, frame: F): F | undefined {
    const frames = this.#waiting.get(key);
    if (!frames) {
      this.#waiting.set(key, [frame]);
      return undefined;
    }
    frames.push(frame);
    return frames.length <= this.#framesPerKey ? undefined : frames.shift();
  }

  /** The oldest frame of the key whose turn it is. */
  take(): { readonly key: K; readonly frame: F } | undefined {
    for (const [key, frames] of this.#waiting) {
      const frame = frames.shift() as F;
      this.#waiting.delete(key);
      if (frames.length > 0) this.#waiting.set(key, frames);
      return { key, frame };
    }
    return undefined;
  }

  delete(key: K): void {
    this.#waiting.delete(key);
  }
}
