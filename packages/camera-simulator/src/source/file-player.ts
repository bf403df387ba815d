/** Plays two prepared streams in a loop, at their own pace, on one timeline that never jumps. */
import { createReadStream } from "node:fs";
import { sleep } from "@huishi/kernel";
import { FlvDemuxer, type TimedAccessUnit } from "@huishi/media";
import { SimulatorError } from "../errors.ts";
import type { PreparedVideo } from "./video-cache.ts";
import { type VideoSource, VideoStream } from "./video-stream.ts";
import { steadyNowMs } from "./steady-time.ts";

/** A process that was stopped longer than this goes on from now, instead of sending all that it missed. */
const MAX_LATE_MS = 1000;

async function* readUnits(path: string, signal: AbortSignal): AsyncGenerator<TimedAccessUnit> {
  const demuxer = new FlvDemuxer();
  for await (const chunk of createReadStream(path, { signal, highWaterMark: 128 * 1024 })) {
    yield* demuxer.push(chunk as Buffer);
  }
}

export class FilePlayer implements VideoSource {
  readonly main: VideoStream;
  readonly sub: VideoStream;
  readonly #video: PreparedVideo;
  #dueMs = 0;

  constructor(video: PreparedVideo) {
    this.#video = video;
    this.main = new VideoStream("main", video.fps);
    this.sub = new VideoStream("sub", video.fps);
  }

  async run(signal: AbortSignal): Promise<void> {
    this.#dueMs = Math.max(this.#dueMs, steadyNowMs());
    for (;;) {
      const pictures = await this.#playOnce(signal);
      if (pictures === 0)
        throw new SimulatorError(
          "VIDEO_UNREADABLE",
          "the converted video holds no picture; delete the cache folder",
        );
    }
  }

  async #playOnce(signal: AbortSignal): Promise<number> {
    const mains = readUnits(this.#video.mainPath, signal);
    const subs = readUnits(this.#video.subPath, signal);
    let pictures = 0;
    try {
      for (;;) {
        const [main, sub] = await Promise.all([mains.next(), subs.next()]);
        if (main.done || sub.done) return pictures;
        await this.#waitUntilDue(signal);
        this.main.publish(main.value.annexB, main.value.keyframe, this.#dueMs);
        this.sub.publish(sub.value.annexB, sub.value.keyframe, this.#dueMs);
        this.#dueMs += 1000 / this.#video.fps;
        pictures += 1;
      }
    } finally {
      await Promise.all([mains.return(undefined), subs.return(undefined)]);
    }
  }

  async #waitUntilDue(signal: AbortSignal): Promise<void> {
    const waitMs = this.#dueMs - steadyNowMs();
    if (waitMs < -MAX_LATE_MS) this.#dueMs = steadyNowMs();
    if (waitMs > 0) await sleep(waitMs, signal);
    else signal.throwIfAborted();
  }
}
