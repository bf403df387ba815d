/** Lengths that a chunk may have, hours: whole parts or multiples of a day, so that chunks line up. */
const LADDER_HOURS = [1, 2, 4, 6, 12, 24, 48, 168] as const;
/** A new length must change the size by this factor, or the old one stays. */
const HYSTERESIS = 1.5;

export interface ChunkMeasure {
  /** Bytes with indexes, and the hours in which they came. */
  readonly bytes: number;
  readonly hours: number;
  /** What a chunk should weigh at most: its indexes are to stay in memory. */
  readonly targetBytes: number;
  readonly currentHours: number;
}

/** How long a chunk should be, hours, at the measured rate: the longest of the ladder within the target. */
export function chunkLengthHours(measure: ChunkMeasure): number {
  const { bytes, hours, targetBytes, currentHours } = measure;
  if (hours <= 0 || bytes <= 0) return currentHours;
  const fittingHours = targetBytes / (bytes / hours);
  const chosen = LADDER_HOURS.findLast((length) => length <= fittingHours) ?? LADDER_HOURS[0];
  const isCurrentFine = currentHours <= fittingHours && chosen / currentHours < HYSTERESIS;
  const isSameSize = currentHours / chosen < HYSTERESIS && chosen / currentHours < HYSTERESIS;
  return isCurrentFine || isSameSize ? currentHours : chosen;
}
