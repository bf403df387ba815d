/** The small grey picture that the motion gate looks at. */
import type { RgbFrame } from "../../application/detector.ts";

const WANTED_WIDTH = 320;

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

  /** Green stands for luma (59 % of it, ITU-R BT.601); two diagonal pixels are averaged against noise. */
  update({ data, width }: RgbFrame): Uint8Array {
    const step = this.#factor * 3;
    const diagonal = this.#factor > 1 ? (width + 1) * 3 : 0;
    let to = 0;
    for (let row = 0; row < this.height; row++) {
      let from = row * this.#factor * width * 3 + 1;
      for (let column = 0; column < this.width; column++, from += step) {
        this.data[to++] = ((data[from] as number) + (data[from + diagonal] as number) + 1) >> 1;
      }
    }
    return this.data;
  }
}
