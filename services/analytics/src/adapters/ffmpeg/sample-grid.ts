/** Keeps `t * fps` of a time that lies on the grid from falling just below it. */
const GRID_EPSILON = 0.001;

/**
 * The first picture in each interval of a fixed time grid is a sample: on average exactly `fps` a second, whatever the
 * camera's rate or jitter.
 */
export class SampleGrid {
  readonly #fps: number;
  #lastSlot = -Infinity;

  constructor(fps: number) {
    this.#fps = fps;
  }

  /** As a condition of ffmpeg's `select` filter. */
  get expression(): string {
    const slot = (time: string): string => `floor(${time}*${this.#fps}+${GRID_EPSILON})`;
    return `isnan(prev_selected_t)+gt(${slot("t")},${slot("prev_selected_t")})`;
  }

  /** Will the filter take the picture of this time? To be asked once for each picture, in order. */
  isSample(ptsMs: number): boolean {
    const slot = Math.floor((ptsMs / 1000) * this.#fps + GRID_EPSILON);
    if (slot <= this.#lastSlot) return false;
    this.#lastSlot = slot;
    return true;
  }
}
