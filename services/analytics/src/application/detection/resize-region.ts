/**
 * Crops a region out of a frame and scales it into the model's square input, bilinear, half-pixel centres. What is
 * not square keeps its shape and is framed in grey: squeezed 16:9 made cars so narrow that few were recognised (from
 * above, 9 of 59 frames against 24 in shape).
 */
import type { RgbFrame } from "../detector.ts";
import type { Region } from "../../domain/index.ts";
import { type Axis, emptyTaps, fillTaps, ONE, type Taps } from "./taps.ts";
import { YuvResizer } from "./resize-yuv.ts";

const ROUND = 1 << 15;

/** Where in the target the region was put, in fractions of the target. */
export interface Placement {
  readonly x: number;
  readonly y: number;
  readonly w: number;
  readonly h: number;
}

/** Up to this ratio of its sides a region fills the input: training pictures were squeezed as much (COCO, 4:3). */
const LARGEST_SQUEEZE = 1.4;
const GREY = 127;

export interface ResizeOptions {
  /** `auto` (default): filled up to 1.4:1, in shape beyond; `letterbox`: always in shape; `stretch`: always filled. */
  readonly fit?: "auto" | "letterbox" | "stretch";
  /** Grey of the frame around what keeps its shape. Default 127. */
  readonly fill?: number;
}

const LARGEST_STRETCH = { auto: LARGEST_SQUEEZE, letterbox: 1, stretch: Infinity } as const;

/** Owns the tables of one target size, so that a frame costs no allocation. */
export class RegionResizer {
  readonly size: number;
  readonly #largestStretch: number;
  readonly #fill: number;
  readonly #columns: Taps;
  readonly #rows: Taps;
  #yuv: YuvResizer | null = null;

  constructor(size: number, { fit = "auto", fill = GREY }: ResizeOptions = {}) {
    this.size = size;
    this.#largestStretch = LARGEST_STRETCH[fit];
    this.#fill = fill;
    this.#columns = emptyTaps(size);
    this.#rows = emptyTaps(size);
  }

  /**
   * Writes size * size RGB triples into `target` and says where in it the region is. The region must lie inside the
   * frame.
   */
  resize(frame: RgbFrame, region: Region, target: Uint8Array): Placement {
    const { size } = this;
    const longer = Math.max(region.w, region.h);
    const isFilled = longer <= this.#largestStretch * Math.min(region.w, region.h);
    const width = isFilled ? size : Math.max(1, Math.round((region.w / longer) * size));
    const height = isFilled ? size : Math.max(1, Math.round((region.h / longer) * size));
    const left = (size - width) >> 1;
    const top = (size - height) >> 1;
    const placement = { x: left / size, y: top / size, w: width / size, h: height / size };
    if (frame.layout === "i420") {
      this.#yuv ??= new YuvResizer(size);
      this.#yuv.resize(frame, region, { data: target, left, top, width, height, fill: this.#fill });
      return placement;
    }
    if (width < size || height < size) target.fill(this.#fill);
    const stride = frame.width * 3;
    fillTaps(this.#columns, axisOf(region.x, region.w, 3), width);
    fillTaps(this.#rows, axisOf(region.y, region.h, stride), height);
    for (let row = 0; row < height; row++) {
      const rows = { top: this.#rows.first[row] as number, bottom: this.#rows.second[row] as number };
      const share = this.#rows.share[row] as number;
      blendRows(frame.data, rows, share, this.#columns, width, target, ((top + row) * size + left) * 3);
    }
    return placement;
  }
}

/** One target row. The channels are written out: a loop over three costs twice the time here. */
function blendRows(
  source: Uint8Array,
  { top, bottom }: { readonly top: number; readonly bottom: number },
  lower: number,
  columns: Taps,
  width: number,
  target: Uint8Array,
  from: number,
): void {
  const { first, second, share } = columns;
  const upper = ONE - lower;
  let to = from;
  for (let column = 0; column < width; column++) {
    const a = first[column] as number;
    const b = second[column] as number;
    const right = share[column] as number;
    const left = ONE - right;
    // Weights of the four neighbours; they sum to 2^16.
    const ta = left * upper;
    const tb = right * upper;
    const ba = left * lower;
    const bb = right * lower;
    const i = top + a;
    const j = top + b;
    const k = bottom + a;
    const l = bottom + b;
    target[to] =
      ((source[i] as number) * ta +
        (source[j] as number) * tb +
        (source[k] as number) * ba +
        (source[l] as number) * bb +
        ROUND) >>
      16;
    target[to + 1] =
      ((source[i + 1] as number) * ta +
        (source[j + 1] as number) * tb +
        (source[k + 1] as number) * ba +
        (source[l + 1] as number) * bb +
        ROUND) >>
      16;
    target[to + 2] =
      ((source[i + 2] as number) * ta +
        (source[j + 2] as number) * tb +
        (source[k + 2] as number) * ba +
        (source[l + 2] as number) * bb +
        ROUND) >>
      16;
    to += 3;
  }
}

const axisOf = (start: number, length: number, step: number): Axis => ({
  start,
  length,
  last: start + length - 1,
  step,
});
