/** Bilinear sampling tables of one axis. */

const FRACTION_BITS = 8;
/** Shares are of this. */
export const ONE = 1 << FRACTION_BITS;

/** For each target pixel: the two source pixels (as offsets) and the share of the second one, 0..`ONE`. */
export interface Taps {
  readonly first: Int32Array;
  readonly second: Int32Array;
  readonly share: Int32Array;
}

export function emptyTaps(size: number): Taps {
  return { first: new Int32Array(size), second: new Int32Array(size), share: new Int32Array(size) };
}

export interface Axis {
  /** Where the source begins, its length (a fraction for subsampled planes) and its last pixel, in source pixels. */
  readonly start: number;
  readonly length: number;
  readonly last: number;
  /** Bytes from one source pixel to the next. */
  readonly step: number;
}

/** Half-pixel centres; never beyond the first and the last source pixel. */
export function fillTaps(taps: Taps, { start, length, last, step }: Axis, size: number): void {
  const least = Math.min(Math.ceil(start), last);
  for (let i = 0; i < size; i++) {
    const position = Math.min(Math.max(start + ((i + 0.5) * length) / size - 0.5, least), last);
    const whole = Math.floor(position);
    taps.first[i] = whole * step;
    taps.second[i] = Math.min(whole + 1, last) * step;
    taps.share[i] = Math.round((position - whole) * ONE);
  }
}
