import type { SeriesGap, SeriesPoint, TimeRange } from "@huishi/contracts";
import { DAY_MS, HOUR_MS, MINUTE_MS } from "./time-range.ts";

/** When no interval is known, a value is old after this time (and a stretch without values a gap). */
const DEFAULT_STALE_MS = 15 * MINUTE_MS;
const MISSED_INTERVALS = 3;

/** Bucket lengths from which a series is drawn; each sums up whole ones of the rollup below it. */
const BUCKETS_MS = [1, 5, 15, 60, 180, 360, 720, 1440, 10_080].map((minutes) => minutes * MINUTE_MS);
/** A stream of unknown pace is read as it is up to this range; what is more than the points asked for is rolled up. */
const RAW_GUESS_MS = DAY_MS;

/** May the values themselves fit into so many points? */
export function mayBeRaw(range: TimeRange, points: number, expectedIntervalMs: number | null): boolean {
  const spanMs = range.toMs - range.fromMs;
  return expectedIntervalMs === null ? spanMs <= RAW_GUESS_MS : spanMs <= points * expectedIntervalMs;
}

/** The shortest bucket of which at most so many cover the range. */
export function bucketFor(range: TimeRange, points: number): number {
  const spanMs = range.toMs - range.fromMs;
  const fitting = BUCKETS_MS.find((bucketMs) => spanMs / bucketMs <= points);
  const weekMs = BUCKETS_MS.at(-1) as number;
  return fitting ?? Math.ceil(spanMs / points / weekMs) * weekMs;
}

export const rollupFor = (bucketMs: number): "observation_minute" | "observation_hour" =>
  bucketMs < HOUR_MS ? "observation_minute" : "observation_hour";

/** Milliseconds after which a value of this stream is not to be shown as live. */
export function staleAfterMs(expectedIntervalMs: number | null): number {
  return expectedIntervalMs === null ? DEFAULT_STALE_MS : MISSED_INTERVALS * expectedIntervalMs;
}

/** A stretch in which an agent had to give values up. */
export type Loss = TimeRange;

/**
 * Stretches without values: longer than three intervals (the expected one, else the median of what came), and never
 * shorter than a bucket. `losses` say which of them the edge had to give up.
 */
export function findGaps(
  points: readonly Pick<SeriesPoint, "atMs">[],
  facts: { range: TimeRange; bucketMs: number; expectedIntervalMs: number | null; losses: readonly Loss[] },
): SeriesGap[] {
  const { range, bucketMs, losses } = facts;
  const thresholdMs = Math.max(gapThresholdMs(points, facts), bucketMs);
  const gaps: SeriesGap[] = [];
  const note = (fromMs: number, toMs: number): void => {
    const isLost = losses.some((loss) => loss.fromMs <= toMs && loss.toMs >= fromMs);
    gaps.push({ fromMs, toMs, reason: isLost ? "lost_at_edge" : "no_data" });
  };
  let lastMs: number | null = null;
  for (const { atMs } of points) {
    const sinceMs = lastMs ?? range.fromMs;
    if (atMs - sinceMs > thresholdMs) note(lastMs === null ? sinceMs : sinceMs + bucketMs, atMs);
    lastMs = atMs;
  }
  const endMs = lastMs ?? range.fromMs;
  if (range.toMs - endMs > thresholdMs) note(lastMs === null ? endMs : endMs + bucketMs, range.toMs);
  return gaps;
}

function gapThresholdMs(
  points: readonly Pick<SeriesPoint, "atMs">[],
  facts: { expectedIntervalMs: number | null },
): number {
  if (facts.expectedIntervalMs !== null) return MISSED_INTERVALS * facts.expectedIntervalMs;
  const distances = points.slice(1).map((point, i) => point.atMs - (points[i]?.atMs ?? 0));
  if (distances.length === 0) return DEFAULT_STALE_MS;
  distances.sort((a, b) => a - b);
  return MISSED_INTERVALS * (distances[distances.length >> 1] as number);
}
