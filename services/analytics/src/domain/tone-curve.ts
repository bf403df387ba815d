/** Levels are taken together in bands of 32. */
const BANDS = 8;
const BAND_WIDTH = 256 / BANDS;
/** Every how-manieth pixel is looked at, and what share of them a band needs for a say of its own. */
const STRIDE = 7;
const LEAST_SHARE = 0.04;
/** Differences -255..255, shifted to an index. */
const DIFFERENCES = 512;
const ZERO = 256;

/**
 * How the light of the whole picture changed against a background: a map of the picture's levels to those that
 * the background would have shown. Each band takes the median of its pixels' differences, so that what moves
 * (less than half of it) has no say; that follows clouds, exposure, gain and the switch to infrared.
 */
export class ToneCurve {
  /** Picture level -> background level. */
  readonly map = new Uint8Array(256);
  private readonly bands = new Int32Array(BANDS * DIFFERENCES);
  private readonly all = new Int32Array(DIFFERENCES);

  fit(background: Float32Array, luma: Uint8Array): void {
    const { bands, all } = this;
    bands.fill(0);
    all.fill(0);
    const counts = new Int32Array(BANDS);
    let total = 0;
    for (let i = 0; i < luma.length; i += STRIDE) {
      const level = luma[i]!;
      const band = (level / BAND_WIDTH) | 0;
      const difference = ((background[i]! + 0.5) | 0) - level + ZERO;
      bands[band * DIFFERENCES + difference]!++;
      all[difference]!++;
      counts[band]!++;
      total++;
    }
    const common = median(all, 0, total);
    const offsets = Array.from(counts, (count, band) =>
      count < LEAST_SHARE * total ? common : median(bands, band * DIFFERENCES, count),
    );
    for (let level = 0; level < 256; level++) {
      const at = (level + 0.5) / BAND_WIDTH - 0.5;
      const left = Math.max(0, Math.min(BANDS - 1, Math.floor(at)));
      const right = Math.min(BANDS - 1, left + 1);
      const share = Math.max(0, Math.min(1, at - left));
      const mapped = level + offsets[left]! * (1 - share) + offsets[right]! * share;
      this.map[level] = Math.max(0, Math.min(255, Math.round(mapped)));
    }
  }
}

function median(histogram: Int32Array, offset: number, count: number): number {
  let below = 0;
  for (let k = 0; k < DIFFERENCES; k++) {
    below += histogram[offset + k]!;
    if (2 * below >= count) return k - ZERO;
  }
  return 0;
}
