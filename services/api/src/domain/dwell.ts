import { DWELL_BIN_COUNT, dwellBinStartMs } from "@huishi/contracts";

/** How many stays fell into a bin (`DWELL_BIN_COUNT`), bins rising. */
export type DwellBins = readonly (readonly [bin: number, visits: number])[];

/**
 * The length that a `fraction` of the stays does not pass, milliseconds. Within a bin stays are taken for evenly spread over
 * the logarithm of their length.
 */
export function dwellQuantileMs(bins: DwellBins, fraction: number): number {
  const total = bins.reduce((sum, [, visits]) => sum + visits, 0);
  const rank = fraction * total;
  let before = 0;
  for (const [bin, visits] of bins) {
    if (before + visits >= rank && visits > 0) return withinBin(bin, (rank - before) / visits);
    before += visits;
  }
  return 0;
}

function withinBin(bin: number, part: number): number {
  const startMs = dwellBinStartMs(bin);
  const endMs = dwellBinStartMs(bin + 1);
  // The first bin begins at 0, which has no logarithm.
  return startMs === 0 ? endMs * part : startMs * (endMs / startMs) ** part;
}

/** Bins with their bounds; the last has no end. */
export function boundedBins(bins: DwellBins): { fromMs: number; toMs: number | null; visits: number }[] {
  return bins.map(([bin, visits]) => ({
    fromMs: dwellBinStartMs(bin),
    toMs: bin >= DWELL_BIN_COUNT - 1 ? null : dwellBinStartMs(bin + 1),
    visits,
  }));
}
