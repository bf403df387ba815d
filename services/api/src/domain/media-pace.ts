/** Above this backlog live pictures stop until the next keyframe after it has drained. */
export const MEDIA_PAUSE_BYTES = 2 * 1024 * 1024;
const MEDIA_RESUME_BYTES = 512 * 1024;
/** Above this backlog, or this far behind, the client is cut off; it comes back with its cursor. */
export const MAX_BACKLOG_BYTES = 16 * 1024 * 1024;
export const MAX_BEHIND_MS = 15_000;

export type MediaVerdict = "send" | "sendAfterGap" | "drop";

/**
 * Decides unit by unit what one client is sent of one stream. After a drop the stream goes on with a keyframe
 * only, marked as a discontinuity: a decoder must never be given a picture whose references are missing.
 */
export class MediaPace {
  #waitsForKeyframe = true;
  #gap = false;
  #dropped = 0;

  /** Units dropped because the client could not keep up. */
  get dropped(): number {
    return this.#dropped;
  }

  decide(isKeyframe: boolean, backlogBytes: number): MediaVerdict {
    if (backlogBytes > MEDIA_PAUSE_BYTES) return this.#drop();
    if (this.#waitsForKeyframe) {
      if (!isKeyframe) return this.#gap ? this.#drop() : "drop";
      if (this.#gap && backlogBytes > MEDIA_RESUME_BYTES) return this.#drop();
      this.#waitsForKeyframe = false;
    }
    const verdict = this.#gap ? "sendAfterGap" : "send";
    this.#gap = false;
    return verdict;
  }

  #drop(): MediaVerdict {
    this.#waitsForKeyframe = true;
    this.#gap = true;
    this.#dropped += 1;
    return "drop";
  }
}

/**
 * How far behind a client is: the age of the oldest byte that it has not taken. Kept by checkpoints at each
 * tick, not by a callback a message, which would cost more than the sending.
 */
export class Backlog {
  #queuedBytes = 0;
  #checkpoints: { atMs: number; queuedBytes: number }[] = [];

  queued(bytes: number): void {
    this.#queuedBytes += bytes;
  }

  /** Call about once a second with the bytes that still wait. Returns how long the oldest of them has waited. */
  tick(nowMs: number, waitingBytes: number): number {
    const takenBytes = this.#queuedBytes - waitingBytes;
    this.#checkpoints = this.#checkpoints.filter((checkpoint) => checkpoint.queuedBytes > takenBytes);
    const oldest = this.#checkpoints[0];
    if (waitingBytes > 0) this.#checkpoints.push({ atMs: nowMs, queuedBytes: this.#queuedBytes });
    return oldest === undefined ? 0 : nowMs - oldest.atMs;
  }
}
