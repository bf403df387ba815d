/** Bins of a distribution made ready to be drawn. Pure. */
import { dwellBinStartMs } from "@huishi/contracts";

export interface DrawnBin {
  readonly fromMs: number;
  /** null: no end. */
  readonly toMs: number | null;
  readonly visits: number;
}

/** Of the store's fine bins so many make one that is wide enough to be seen: a doubling is two bars. */
const FINE_BINS = 4;

const binOf = (fromMs: number): number => (fromMs <= 0 ? 0 : Math.round(8 * Math.log2(fromMs / 250)));

/** Wide bins from the first to the last that holds something, empty ones between them too. */
export function wideBins(bins: readonly DrawnBin[]): DrawnBin[] {
  const wide = new Map<number, number>();
  for (const bin of bins) {
    const index = Math.floor(binOf(bin.fromMs) / FINE_BINS);
    wide.set(index, (wide.get(index) ?? 0) + bin.visits);
  }
  if (wide.size === 0) return [];
  const [first, last] = [Math.min(...wide.keys()), Math.max(...wide.keys())];
  const hasNoEnd = bins.some(({ toMs }) => toMs === null);
  return Array.from({ length: last - first + 1 }, (_, offset) => {
    const index = first + offset;
    return {
      fromMs: dwellBinStartMs(index * FINE_BINS),
      toMs: hasNoEnd && index === last ? null : dwellBinStartMs((index + 1) * FINE_BINS),
      visits: wide.get(index) ?? 0,
    };
  });
}

/** Where a length lies among the bins, in bins from the left; within one by the logarithm of the length. */
export function quantilePlace(bins: readonly DrawnBin[], atMs: number): number {
  const found = bins.findIndex(({ toMs }) => toMs === null || atMs <= toMs);
  const index = found < 0 ? bins.length - 1 : found;
  const bin = bins[index];
  if (!bin || bin.toMs === null || atMs <= bin.fromMs) return Math.max(0, index);
  const part =
    bin.fromMs === 0 ? atMs / bin.toMs : Math.log(atMs / bin.fromMs) / Math.log(bin.toMs / bin.fromMs);
  return index + Math.min(1, Math.max(0, part));
}
