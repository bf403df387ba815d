/** The small grey picture that the motion gate looks at. */
import type { RgbFrame } from "../../application/detector.ts";
import { halveLuma } from "../../domain/index.ts";

const WANTED_WIDTH = 320;
/** Sum of two luma bytes of limited range (16..235 each) -> their mean over the full range. */
const MEAN_OF_LUMA = Uint8ClampedArray.from({ length: 511 }, (_, sum) => ((sum / 2 - 16) * 255) / 219);

/** Shrinks by a whole factor, to about 320 pixels wide; keeps its buffer between frames of one size. */
export class SmallLuma {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array;
  readonly #factor: number;

  constructor(frame: { readonly width: number; readonly height: number }) {
    this.#factor = Math.max(1, Math.round(frame.width / WANTED_WIDTH));
    this.width = Math.floor(frame.width / this.#factor);
    this.height = Math.floor(frame.height / this.#factor);
    this.data = new Uint8Array(this.width * this.height);
  }

  /** Two diagonal pixels are averaged against noise. Of RGB, green stands for luma (59 % of it, ITU-R BT.601). */
  update(frame: RgbFrame): Uint8Array {
    const factor = this.#factor;
    const diagonal = factor > 1 ? frame.width + 1 : 0;
    // The usual case, 640 pixels wide.
    if (frame.layout === "i420" && factor === 2) halveLuma(frame.data, frame.width, this);
    else if (frame.layout === "i420") this.#shrinkLuma(frame.data, factor, frame.width, diagonal);
    else this.#shrinkGreen(frame.data, factor, frame.width, diagonal);
    return this.data;
  }

  #shrinkLuma(from: Uint8Array, factor: number, stride: number, diagonal: number): void {
    const { data, width, height } = this;
    for (let row = 0, to = 0; row < height; row++) {
      for (let column = 0, at = row * factor * stride; column < width; column++, at += factor)
        data[to++] = MEAN_OF_LUMA[from[at]! + from[at + diagonal]!]!;
    }
  }

  #shrinkGreen(from: Uint8Array, factor: number, stride: number, diagonal: number): void {
    const { data, width, height } = this;
    for (let row = 0, to = 0; row < height; row++) {
      for (let column = 0, at = row * factor * stride * 3 + 1; column < width; column++, at += factor * 3)
        data[to++] = (from[at]! + from[at + diagonal * 3]! + 1) >> 1;
    }
  }
}
