/**
 * Crops a region out of an I420 picture, scales it (bilinear) and turns it into RGB: only what is inferred is converted.
 * Luma is scaled at full size, colour at half of the target's, as the picture itself carries it.
 */
import type { Region } from "../../domain/index.ts";
import type { RgbFrame } from "../detector.ts";
import { type Axis, emptyTaps, fillTaps, ONE, type Taps } from "./taps.ts";

const ROUND = 1 << 15;
/** Fraction bits of the colour tables. */
const BITS = 6;

/** Sums of the tables lie within -`BELOW`..700: a table cuts them to a byte, which is quicker than a clamped array. */
const BELOW = 300;
const BYTE = Uint8Array.from({ length: 1000 }, (_, index) => Math.min(Math.max(index - BELOW, 0), 255));

/** ITU-R BT.601, limited range: what each byte adds to red, green and blue, with `BITS` of fraction. */
const LUMA = table((value) => 1.164383 * (value - 16) + 0.5 + BELOW);
const RED_OF_V = table((value) => 1.596027 * (value - 128));
const GREEN_OF_U = table((value) => -0.391762 * (value - 128));
const GREEN_OF_V = table((value) => -0.812968 * (value - 128));
const BLUE_OF_U = table((value) => 2.017232 * (value - 128));

function table(of: (value: number) => number): Int32Array {
  return Int32Array.from({ length: 256 }, (_, value) => Math.round(of(value) * (1 << BITS)));
}

/** Where the scaled region goes: into a square of RGB triples. */
interface Target {
  readonly data: Uint8Array;
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

interface Plane {
  readonly from: number;
  readonly stride: number;
}

/** Owns the tables and lines of one target size, so that a frame costs no allocation. */
export class YuvResizer {
  readonly #size: number;
  readonly #columns: Taps;
  readonly #rows: Taps;
  readonly #halfColumns: Taps;
  readonly #halfRows: Taps;
  /** Two lines of luma and one of each colour, in the target's width. */
  readonly #lines: {
    readonly upper: Uint8Array;
    readonly lower: Uint8Array;
    readonly u: Uint8Array;
    readonly v: Uint8Array;
  };
  /** A source line between two, as wide as the widest picture so far. */
  #between = new Uint16Array(0);

  constructor(size: number) {
    this.#size = size;
    this.#columns = emptyTaps(size);
    this.#rows = emptyTaps(size);
    this.#halfColumns = emptyTaps((size + 1) >> 1);
    this.#halfRows = emptyTaps((size + 1) >> 1);
    const line = (): Uint8Array => new Uint8Array(size + 1);
    this.#lines = { upper: line(), lower: line(), u: line(), v: line() };
  }

  /** The region must lie inside the picture. */
  resize(frame: RgbFrame, region: Region, target: Target): void {
    const { width, height } = target;
    if (this.#between.length < frame.width) this.#between = new Uint16Array(frame.width);
    this.#fill(region, target);
    const luma = { from: 0, stride: frame.width };
    const half = frame.width >> 1;
    const u = { from: frame.width * frame.height, stride: half };
    const v = { from: u.from + half * (frame.height >> 1), stride: half };
    const halfWidth = (width + 1) >> 1;
    const lines = this.#lines;
    for (let row = 0; row < height; row += 2) {
      const at = ((target.top + row) * this.#size + target.left) * 3;
      this.#line(frame.data, u, row >> 1, lines.u, halfWidth, true);
      this.#line(frame.data, v, row >> 1, lines.v, halfWidth, true);
      this.#line(frame.data, luma, row, lines.upper, width, false);
      toRgb(lines.upper, lines.u, lines.v, width, target.data, at);
      if (row + 1 >= height) break;
      this.#line(frame.data, luma, row + 1, lines.lower, width, false);
      toRgb(lines.lower, lines.u, lines.v, width, target.data, at + this.#size * 3);
    }
  }

  #fill(region: Region, { width, height }: Target): void {
    const whole = (start: number, length: number): Axis => ({
      start,
      length,
      last: start + length - 1,
      step: 1,
    });
    // A colour stands for two pixels; the last one of an odd region for the half that is inside.
    const halved = (start: number, length: number, target: number): Axis => ({
      start: start / 2,
      length: (length / 2) * (((target + 1) & ~1) / target),
      last: (start + length - 1) >> 1,
      step: 1,
    });
    fillTaps(this.#columns, whole(region.x, region.w), width);
    fillTaps(this.#rows, whole(region.y, region.h), height);
    fillTaps(this.#halfColumns, halved(region.x, region.w, width), (width + 1) >> 1);
    fillTaps(this.#halfRows, halved(region.y, region.h, height), (height + 1) >> 1);
  }

  /** One target line of one plane: first between two source lines, then along them. */
  #line(
    data: Uint8Array,
    { from, stride }: Plane,
    row: number,
    to: Uint8Array,
    width: number,
    isColour: boolean,
  ): void {
    const rows = isColour ? this.#halfRows : this.#rows;
    const columns = isColour ? this.#halfColumns : this.#columns;
    const top = from + rows.first[row]! * stride;
    const bottom = from + rows.second[row]! * stride;
    const begin = columns.first[0]!;
    const end = columns.second[width - 1]!;
    between(data, { top, bottom }, rows.share[row]!, this.#between, begin, end);
    along(this.#between, columns, to, width);
  }
}

/** The whole picture as RGB triples. */
export function rgbOf({ data, width, height }: RgbFrame): Uint8Array {
  const rgb = new Uint8Array(width * height * 3);
  const half = width >> 1;
  for (let row = 0; row < height; row++) {
    const u = width * height + (row >> 1) * half;
    const v = u + half * (height >> 1);
    const luma = data.subarray(row * width, (row + 1) * width);
    toRgb(luma, data.subarray(u, u + half), data.subarray(v, v + half), width, rgb, row * width * 3);
  }
  return rgb;
}

function between(
  data: Uint8Array,
  { top, bottom }: { readonly top: number; readonly bottom: number },
  lower: number,
  to: Uint16Array,
  begin: number,
  end: number,
): void {
  const upper = ONE - lower;
  for (let x = begin; x <= end; x++) to[x] = data[top + x]! * upper + data[bottom + x]! * lower;
}

function along(line: Uint16Array, { first, second, share }: Taps, to: Uint8Array, width: number): void {
  for (let x = 0; x < width; x++) {
    const right = share[x]!;
    to[x] = (line[first[x]!]! * (ONE - right) + line[second[x]!]! * right + ROUND) >> 16;
  }
}

function toRgb(
  luma: Uint8Array,
  u: Uint8Array,
  v: Uint8Array,
  width: number,
  to: Uint8Array,
  at: number,
): void {
  for (let x = 0, out = at; x < width; x += 2, out += 6) {
    const blueDifference = u[x >> 1]!;
    const redDifference = v[x >> 1]!;
    const red = RED_OF_V[redDifference]!;
    const green = GREEN_OF_U[blueDifference]! + GREEN_OF_V[redDifference]!;
    const blue = BLUE_OF_U[blueDifference]!;
    const left = LUMA[luma[x]!]!;
    to[out] = BYTE[(left + red) >> BITS]!;
    to[out + 1] = BYTE[(left + green) >> BITS]!;
    to[out + 2] = BYTE[(left + blue) >> BITS]!;
    if (x + 1 >= width) break;
    const right = LUMA[luma[x + 1]!]!;
    to[out + 3] = BYTE[(right + red) >> BITS]!;
    to[out + 4] = BYTE[(right + green) >> BITS]!;
    to[out + 5] = BYTE[(right + blue) >> BITS]!;
  }
}
