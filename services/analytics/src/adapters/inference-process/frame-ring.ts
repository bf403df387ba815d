import type { DecodedFrame } from "../ffmpeg/index.ts";

/** The frames of the last seconds, for snapshots. Bounded in time and in number. */
export class FrameRing {
  readonly #keptMs: number;
  readonly #maxFrames: number;
  #frames: DecodedFrame[] = [];

  constructor(options: { readonly keptMs: number; readonly maxFrames: number }) {
    this.#keptMs = options.keptMs;
    this.#maxFrames = options.maxFrames;
  }

  /** Returns the frames that are let go for it. */
  push(frame: DecodedFrame): DecodedFrame[] {
    const kept = [...this.#frames, frame]
      .filter((one) => Math.abs(frame.capturedAtMs - one.capturedAtMs) <= this.#keptMs)
      .slice(-this.#maxFrames);
    const gone = this.#frames.filter((one) => !kept.includes(one));
    this.#frames = kept;
    return gone;
  }

  find(capturedAtMs: number): DecodedFrame | undefined {
    return this.#frames.find((frame) => frame.capturedAtMs === capturedAtMs);
  }
}
