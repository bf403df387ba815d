import type { SeriesPoint } from "@huishi/contracts";

export interface Sparkline {
  /** Of an SVG polyline. */
  readonly points: string;
  readonly limitY: number;
}

const MARGIN = 4;

/** A small line through the values, with the limit always in the picture; null for fewer than two values. */
export function sparkline(
  series: readonly SeriesPoint[],
  limit: number,
  { width, height }: { width: number; height: number },
): Sparkline | null {
  const [first] = series;
  const last = series.at(-1);
  if (!first || !last || last.atMs <= first.atMs) return null;
  const low = Math.min(limit, ...series.map(({ min }) => min));
  const high = Math.max(limit, ...series.map(({ max }) => max));
  const span = high - low || 1;
  const y = (value: number): number =>
    Number((height - MARGIN - ((value - low) / span) * (height - 2 * MARGIN)).toFixed(1));
  const x = (atMs: number): number =>
    Number((((atMs - first.atMs) / (last.atMs - first.atMs)) * width).toFixed(1));
  // What crossed the limit within a bucket must not vanish in its mean.
  const shown = ({ max, min, mean }: SeriesPoint): number => {
    if (mean < limit && max >= limit) return max;
    return mean > limit && min <= limit ? min : mean;
  };
  return {
    points: series.map((point) => `${x(point.atMs)},${y(shown(point))}`).join(" "),
    limitY: y(limit),
  };
}
