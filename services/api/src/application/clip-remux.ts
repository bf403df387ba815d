import { buildInitSegment, buildMediaSegment, extractParameterSets } from "@huishi/media";
import type { PictureRecord } from "@huishi/platform";

const TIMESCALE = 90_000;
/** Of the last picture, and where a gap would show one for longer than this. */
const DEFAULT_MS = 40;
const LONGEST_MS = 60_000;

/** Pictures as a fragmented `.mp4`; the time in it is the time of capture, gaps included. */
export class Mp4Remuxer {
  #sequence = 0;
  #startMs = 0;
  #sets = "";

  async *remux(pictures: AsyncIterable<PictureRecord>): AsyncGenerator<Uint8Array> {
    let waiting: PictureRecord | null = null;
    let lastMs = DEFAULT_MS;
    for await (const picture of pictures) {
      // The reader's buffer moves on.
      const kept = { ...picture, annexB: Uint8Array.from(picture.annexB) };
      if (waiting) {
        lastMs = Math.min(LONGEST_MS, Math.max(1, kept.capturedAtMs - waiting.capturedAtMs));
        yield* this.#segments(waiting, lastMs);
      }
      waiting = kept;
    }
    if (waiting) yield* this.#segments(waiting, Math.min(lastMs, 1_000));
  }

  *#segments(picture: PictureRecord, durationMs: number): Generator<Uint8Array> {
    if (this.#sequence === 0) this.#startMs = picture.capturedAtMs;
    if (picture.keyframe) yield* this.#init(picture.annexB);
    this.#sequence += 1;
    yield buildMediaSegment({
      sequence: this.#sequence,
      decodeTime: ((picture.capturedAtMs - this.#startMs) * TIMESCALE) / 1_000,
      duration: (durationMs * TIMESCALE) / 1_000,
      keyframe: picture.keyframe,
      annexB: picture.annexB,
    });
  }

  /** Once in front: an `.mp4` shows what follows a change of size wrongly; `format=raw` has it as it was. */
  *#init(annexB: Uint8Array): Generator<Uint8Array> {
    const sets = extractParameterSets(annexB);
    if (!sets || this.#sets !== "") return;
    this.#sets = "written";
    yield buildInitSegment({ ...sets, timescale: TIMESCALE });
  }
}
