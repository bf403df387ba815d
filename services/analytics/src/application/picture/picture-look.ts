/** Looks at one camera's decoded pictures now and then, in the process that has them: what is wrong with them? */
import { type FoundFault, type LumaPicture, PICTURE_SAMPLE_MS, PictureJudge } from "@huishi/media";

/** What is wrong with a camera's picture (video quality diagnosis), as the judge that the edge uses too finds it. */
export interface PictureVerdict {
  readonly faults: readonly FoundFault[];
  /** False while the usual view is still being learnt: then no fault does not mean that all is well. */
  readonly isKnown: boolean;
}

/** The judge's measures need this much of a picture. */
const LEAST = { width: 64, height: 36 };

export class PictureLook {
  readonly #judge = new PictureJudge();
  #lookedAtMs: number | null = null;

  /**
   * A verdict where it is time for one (every five seconds of capture time), else null.
   *
   * @param picture the frame's small grey picture; asked for only when it is wanted, and not kept
   */
  at(capturedAtMs: number, picture: () => LumaPicture): PictureVerdict | null {
    const sinceMs = this.#lookedAtMs === null ? PICTURE_SAMPLE_MS : capturedAtMs - this.#lookedAtMs;
    // A clock that was set back begins anew.
    if (sinceMs >= 0 && sinceMs < PICTURE_SAMPLE_MS) return null;
    const { width, height, pixels } = picture();
    if (width < LEAST.width || height < LEAST.height) return null;
    this.#lookedAtMs = capturedAtMs;
    this.#judge.sample({ width, height, pixels: pixels.slice() }, capturedAtMs);
    return { faults: this.#judge.faults, isKnown: this.#judge.isKnown };
  }
}
