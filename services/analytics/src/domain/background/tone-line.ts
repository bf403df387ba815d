/** Every how-manieth pixel is looked at. */
const STRIDE = 11;
const ROUNDS = 4;
/** A pixel this far from the line (in levels) has a quarter of the say of one on it. */
const DOUBT = 6;
const LEAST_GAIN = 0.2;
const LARGEST_GAIN = 5;

interface Line {
  readonly gain: number;
  readonly offset: number;
}

/**
 * How the light of the whole picture changed against the slow background: background = gain * picture + offset, by least
 * squares that are weighted anew a few times (Holland and Welsch 1977), so that what differs has no say. Two numbers
 * only, unlike the motion gate's `ToneCurve`: a large thing of a tone of its own must not become a tone of the light.
 */
export class ToneLine {
  /** Picture level -> background level. */
  readonly map = Uint8Array.from({ length: 256 }, (_, level) => level);
  /** Background level -> picture level. */
  readonly inverse = Uint8Array.from({ length: 256 }, (_, level) => level);
  private line: Line = { gain: 1, offset: 0 };

  /**
   * @param hidden 1: the pixel shows something else for sure
   * @returns by how many levels the light has changed since the picture before, on average
   */
  fit(background: Float32Array, luma: Uint8Array, hidden: Uint8Array): number {
    const samples: number[] = [];
    for (let i = 0; i < luma.length; i += STRIDE) if (hidden[i] === 0) samples.push(i);
    if (samples.length === 0) return 0;
    const on = { background, luma, samples };
    const starts = [this.line, byMoments(on)];
    const lines = starts.map((start) => refined(start, on));
    this.line = lines.reduce((best, one) => (doubtOf(one, on) < doubtOf(best, on) ? one : best));
    return this.tabulate();
  }

  private tabulate(): number {
    const { gain, offset } = this.line;
    let change = 0;
    for (let level = 0; level < 256; level++) {
      const mapped = Math.max(0, Math.min(255, Math.round(gain * level + offset)));
      change += Math.abs(mapped - this.map[level]!);
      this.map[level] = mapped;
      this.inverse[level] = Math.max(0, Math.min(255, Math.round((level - offset) / gain)));
    }
    return change / 256;
  }
}

interface Samples {
  readonly background: Float32Array;
  readonly luma: Uint8Array;
  readonly samples: readonly number[];
}

/** The line that gives the picture the background's mean and spread: a start that finds steps of the light. */
function byMoments({ background, luma, samples }: Samples): Line {
  const n = samples.length;
  let [x, y, xx, yy] = [0, 0, 0, 0];
  for (const i of samples) {
    x += luma[i]!;
    y += background[i]!;
    xx += luma[i]! ** 2;
    yy += background[i]! ** 2;
  }
  const spread = Math.sqrt(Math.max(0, xx / n - (x / n) ** 2));
  const wanted = Math.sqrt(Math.max(0, yy / n - (y / n) ** 2));
  const gain = spread < 1 ? 1 : Math.max(LEAST_GAIN, Math.min(LARGEST_GAIN, wanted / spread));
  return { gain, offset: y / n - (gain * x) / n };
}

function refined(start: Line, { background, luma, samples }: Samples): Line {
  let line = start;
  for (let round = 0; round < ROUNDS; round++) {
    let [w, x, y, xx, xy] = [0, 0, 0, 0, 0];
    for (const i of samples) {
      const level = luma[i]!;
      const before = background[i]!;
      const error = (before - line.gain * level - line.offset) / DOUBT;
      const weight = 1 / (1 + error * error) ** 2;
      w += weight;
      x += weight * level;
      y += weight * before;
      xx += weight * level * level;
      xy += weight * level * before;
    }
    const spread = xx / w - (x / w) ** 2;
    const slope = spread < 1 ? line.gain : (xy / w - (x / w) * (y / w)) / spread;
    const gain = Math.max(LEAST_GAIN, Math.min(LARGEST_GAIN, slope));
    line = { gain, offset: y / w - (gain * x) / w };
  }
  return line;
}

/** How badly a line fits, every pixel counting at most 1. */
function doubtOf({ gain, offset }: Line, { background, luma, samples }: Samples): number {
  let doubt = 0;
  for (const i of samples) {
    const error = (background[i]! - gain * luma[i]! - offset) / DOUBT;
    doubt += (error * error) / (1 + error * error);
  }
  return doubt;
}
