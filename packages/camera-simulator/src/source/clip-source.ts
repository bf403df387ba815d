/** Repeats encoded clips as a camera's two streams: many cameras cost no encoder. */
import { sleep } from "@huishi/kernel";
import type { CodedClip } from "./coded-clip.ts";
import { steadyNowMs } from "./steady-time.ts";
import { type VideoSource, VideoStream } from "./video-stream.ts";

/** A process that was stopped longer than this goes on from now. */
const MAX_LATE_MS = 1000;

export class ClipSource implements VideoSource {
  readonly main: VideoStream;
  readonly sub: VideoStream;
  readonly #clips: ReadonlyArray<readonly [VideoStream, CodedClip]>;
  readonly #fps: number;

  constructor(main: CodedClip, sub: CodedClip, fps: number) {
    this.#fps = fps;
    this.main = new VideoStream("main", fps);
    this.sub = new VideoStream("sub", fps);
    this.#clips = [
      [this.main, main],
      [this.sub, sub],
    ];
  }

  async run(signal: AbortSignal): Promise<void> {
    let dueMs = steadyNowMs();
    for (let tick = 0; ; tick++) {
      const waitMs = dueMs - steadyNowMs();
      if (waitMs < -MAX_LATE_MS) dueMs = steadyNowMs();
      if (waitMs > 0) await sleep(waitMs, signal);
      else signal.throwIfAborted();
      for (const [stream, clip] of this.#clips) {
        const picture = clip.pictures[tick % clip.pictures.length];
        if (picture) stream.publishPicture({ ...picture, codec: clip.codec, takenAtMs: dueMs }, clip);
      }
      dueMs += 1000 / this.#fps;
    }
  }
}
