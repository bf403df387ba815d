/** Which capture time belongs to a presented frame: the media time of a <video> back to the camera's clock. */
const KEPT_FRAMES = 512;

export interface FrameTime {
  readonly mediaTimeS: number;
  readonly capturedAtMs: number;
}

/** The times of the last few hundred frames, bounded; the oldest are forgotten. */
export class FrameTimes {
  #frames: FrameTime[] = [];

  add(frame: FrameTime): void {
    this.#frames.push(frame);
    if (this.#frames.length > KEPT_FRAMES * 2) this.#frames = this.#frames.slice(-KEPT_FRAMES);
  }

  clear(): void {
    this.#frames = [];
  }

  /** Capture time of the frame nearest to `mediaTimeS`, or null when none lies within half a second. */
  capturedAtMs(mediaTimeS: number): number | null {
    let best: FrameTime | null = null;
    for (let i = this.#frames.length - 1; i >= 0; i--) {
      const frame = this.#frames[i] as FrameTime;
      const distance = Math.abs(frame.mediaTimeS - mediaTimeS);
      if (best && distance >= Math.abs(best.mediaTimeS - mediaTimeS) && frame.mediaTimeS < mediaTimeS - 1)
        break;
      if (!best || distance < Math.abs(best.mediaTimeS - mediaTimeS)) best = frame;
    }
    return best && Math.abs(best.mediaTimeS - mediaTimeS) <= 0.5 ? best.capturedAtMs : null;
  }
}
