// One slider fits every camera: 0..100 of whatever range a camera has.

export interface Range {
  readonly min: number;
  readonly max: number;
}

/** A camera's value as 0..100 of its range, to a tenth; null when the range is none. */
export function toPercent(value: number, { min, max }: Range): number | null {
  if (!(max > min) || !Number.isFinite(value)) return null;
  const percent = ((value - min) / (max - min)) * 100;
  return Math.round(Math.min(100, Math.max(0, percent)) * 10) / 10;
}

/** The camera's value for 0..100 of its range; a whole number where its range has room for them. */
export function fromPercent(percent: number, { min, max }: Range): number | null {
  if (!(max > min)) return null;
  const value = min + ((max - min) * Math.min(100, Math.max(0, percent))) / 100;
  return max - min >= 10 ? Math.round(value) : Math.round(value * 1_000) / 1_000;
}
