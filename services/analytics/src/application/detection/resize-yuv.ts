/**
 * Crops a region out of an I420 picture, scales it (bilinear) and turns it into RGB: only what is inferred is converted.
 * Luma is scaled at full size, colour at half of the target's, as the picture itself carries it.
 */
import { scaleToRgb } from "../../domain/kernels/picture-kernels.ts";
import type { Region } from "../../domain/index.ts";
import type { RgbFrame } from "../detector.ts";
import { type Axis, emptyTaps, fillTaps, type Taps } from "./taps.ts";

/** Where in the square target the scaled region goes, and the grey around it. */
interface Target {
  readonly data: Uint8Array;
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
  readonly fill: number;
}

/** Owns the tables of one target size, so that a frame costs no allocation. */
export class YuvResizer {
  readonly #size: number;
  readonly #columns: Taps;
  readonly #rows: Taps;
  readonly #halfColumns: Taps;
  readonly #halfRows: Taps;

  constructor(size: number) {
    this.#size = size;
    this.#columns = emptyTaps(size);
    this.#rows = emptyTaps(size);
    this.#halfColumns = emptyTaps((size + 1) >> 1);
    this.#halfRows = emptyTaps((size + 1) >> 1);
  }

  /** The region must lie inside the picture. */
  resize({ data, width, height }: RgbFrame, region: Region, target: Target): void {
    const half = width >> 1;
    const u = width * height;
    const v = u + half * (height >> 1);
    // Whole lines of the region alone are handed over: rows count from its first.
    const [from, to] = [region.y, region.y + region.h];
    const [halfFrom, halfTo] = [from >> 1, (to + 1) >> 1];
    fillTaps(this.#columns, wholeAxis(region.x, region.w, 0), target.width);
    fillTaps(this.#rows, wholeAxis(region.y, region.h, from), target.height);
    fillTaps(this.#halfColumns, halfAxis(region.x, region.w, target.width, 0), (target.width + 1) >> 1);
    fillTaps(this.#halfRows, halfAxis(region.y, region.h, target.height, halfFrom), (target.height + 1) >> 1);
    scaleToRgb(
      {
        luma: data.subarray(from * width, to * width),
        u: data.subarray(u + halfFrom * half, u + halfTo * half),
        v: data.subarray(v + halfFrom * half, v + halfTo * half),
        stride: width,
        columns: this.#columns,
        rows: this.#rows,
        halfColumns: this.#halfColumns,
        halfRows: this.#halfRows,
        size: this.#size,
        ...target,
      },
      target.data,
    );
  }
}

/** @param origin the source pixel that counts as the first */
function wholeAxis(start: number, length: number, origin: number): Axis {
  return { start: start - origin, length, last: start + length - 1 - origin, step: 1 };
}

/** A colour stands for two pixels; the last one of an odd region for the half that is inside. */
function halfAxis(start: number, length: number, target: number, origin: number): Axis {
  return {
    start: start / 2 - origin,
    length: (length / 2) * (((target + 1) & ~1) / target),
    last: ((start + length - 1) >> 1) - origin,
    step: 1,
  };
}
