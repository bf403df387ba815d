import type { TimeRange } from "@huishi/contracts";
import { HuishiError } from "@huishi/kernel";

export const MINUTE_MS = 60_000;
export const HOUR_MS = 3_600_000;
export const DAY_MS = 24 * HOUR_MS;
/** Buckets are counted from a Monday, as `huishi_store.time_bucket` does: 2000-01-03 UTC. */
const BUCKET_ORIGIN_MS = 946_857_600_000;

/**
 * Refuses a range that ends before it begins, or is longer than its question may ask at once.
 *
 * @throws HuishiError TIME_RANGE_INVALID, TIME_RANGE_TOO_LONG
 */
export function checkRange({ fromMs, toMs }: TimeRange, longestMs: number): void {
  if (fromMs >= toMs) {
    throw new HuishiError("TIME_RANGE_INVALID", "`fromMs` has to lie before `toMs`.", {
      details: { fromMs, toMs },
    });
  }
  if (toMs - fromMs > longestMs) {
    throw new HuishiError(
      "TIME_RANGE_TOO_LONG",
      `This question takes at most ${describeSpan(longestMs)} at once; ask for a shorter range, a coarser granularity, or one range after the other.`,
      { details: { fromMs, toMs, longestMs } },
    );
  }
}

/** The smallest range of whole buckets that holds the given one. */
export function widenToBuckets({ fromMs, toMs }: TimeRange, bucketMs: number): TimeRange {
  return { fromMs: bucketFloor(fromMs, bucketMs), toMs: bucketCeil(toMs, bucketMs) };
}

export function bucketFloor(atMs: number, bucketMs: number): number {
  const offsetMs = (((atMs - BUCKET_ORIGIN_MS) % bucketMs) + bucketMs) % bucketMs;
  return Math.max(0, atMs - offsetMs);
}

export function bucketCeil(atMs: number, bucketMs: number): number {
  const floorMs = bucketFloor(atMs, bucketMs);
  return floorMs === atMs ? atMs : floorMs + bucketMs;
}

function describeSpan(spanMs: number): string {
  if (spanMs % DAY_MS === 0) return `${spanMs / DAY_MS} days`;
  return spanMs % HOUR_MS === 0 ? `${spanMs / HOUR_MS} hours` : `${Math.round(spanMs / MINUTE_MS)} minutes`;
}
