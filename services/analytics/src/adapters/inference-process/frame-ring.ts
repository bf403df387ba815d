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

  push(frame: DecodedFrame): void {
    this.#frames.push(frame);
    this.#frames = this.#frames
      .filter((kept) => Math.abs(frame.capturedAtMs - kept.capturedAtMs) <= this.#keptMs)
      .slice(-this.#maxFrames);
  }

  find(capturedAtMs: number): DecodedFrame | undefined {
    return this.#frames.find((frame) => frame.capturedAtMs === capturedAtMs);
  }
}
