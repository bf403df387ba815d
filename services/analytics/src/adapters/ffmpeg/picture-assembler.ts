/** Puts ffmpeg's two outputs together again: bytes of pictures, and lines with their times, in the same order. */

/** A picture with its time on the stream's own clock. */
export interface TimedPicture {
  readonly ptsMs: number;
  readonly data: Uint8Array;
}

/** Longest line that is kept while its end is missing; real ones have about 40 characters. */
const MAX_LINE_LENGTH = 4096;
const timeLine = /^frame:\d+\s+pts:(-?\d+)\s/;

export class PictureAssembler {
  readonly #pictureBytes: number;
  readonly #newBuffer: (bytes: number) => Uint8Array;
  readonly #onPicture: (picture: TimedPicture) => void;
  readonly #times: number[] = [];
  readonly #pictures: Uint8Array[] = [];
  #line = "";
  #current: Uint8Array | null = null;
  #filled = 0;

  /** @param newBuffer gives a buffer of so many bytes, whatever is in it */
  constructor(
    pictureBytes: number,
    onPicture: (picture: TimedPicture) => void,
    newBuffer: (bytes: number) => Uint8Array = (bytes) => new Uint8Array(bytes),
  ) {
    this.#pictureBytes = pictureBytes;
    this.#newBuffer = newBuffer;
    this.#onPicture = onPicture;
  }

  /** Bytes of pictures, cut anywhere. */
  pushPixels(chunk: Uint8Array): void {
    for (let at = 0; at < chunk.length;) {
      this.#current ??= this.#newBuffer(this.#pictureBytes);
      const taken = Math.min(chunk.length - at, this.#pictureBytes - this.#filled);
      this.#current.set(chunk.subarray(at, at + taken), this.#filled);
      this.#filled += taken;
      at += taken;
      if (this.#filled === this.#pictureBytes) this.#finishPicture(this.#current);
    }
  }

  /** Output of ffmpeg's `metadata=mode=print` filter, cut anywhere; the FLV time base makes pts milliseconds. */
  pushTimes(text: string): void {
    const lines = (this.#line + text).split("\n");
    this.#line = (lines.pop() ?? "").slice(0, MAX_LINE_LENGTH);
    for (const line of lines) {
      const pts = timeLine.exec(line)?.[1];
      if (pts !== undefined) this.#times.push(Number(pts));
    }
    this.#pair();
  }

  #finishPicture(picture: Uint8Array): void {
    this.#pictures.push(picture);
    this.#current = null;
    this.#filled = 0;
    this.#pair();
  }

  #pair(): void {
    while (this.#times.length > 0 && this.#pictures.length > 0) {
      this.#onPicture({ ptsMs: this.#times.shift() as number, data: this.#pictures.shift() as Uint8Array });
    }
  }
}
