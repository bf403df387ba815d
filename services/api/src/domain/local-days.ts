import type { TimeRange } from "@huishi/contracts";
import { HuishiError } from "@huishi/kernel";
import { DAY_MS, HOUR_MS } from "./time-range.ts";

/**
 * The smallest range of whole local days that holds the given one.
 *
 * @throws HuishiError TIME_ZONE_UNKNOWN; TIME_ZONE_NOT_HOURLY where the zone's days do not begin on a full hour UTC:
 *   they cannot be made of sums by the hour
 */
export function widenToDays({ fromMs, toMs }: TimeRange, timeZone: string): TimeRange {
  const offsetAt = offsetReader(timeZone);
  const widened = { fromMs: dayStart(fromMs, offsetAt), toMs: dayStart(toMs - 1 + DAY_MS, offsetAt) };
  // A day of 23 hours: the day after may be one too far or too near.
  while (widened.toMs < toMs) widened.toMs = dayStart(widened.toMs + 1.5 * DAY_MS, offsetAt);
  for (let atMs = widened.fromMs; atMs <= widened.toMs; atMs += DAY_MS) {
    if (offsetAt(atMs) % HOUR_MS !== 0) {
      throw new HuishiError(
        "TIME_ZONE_NOT_HOURLY",
        "Days of this time zone do not begin on a full hour UTC, and sums are kept by the hour; ask by the hour, or for another zone.",
        { details: { timeZone } },
      );
    }
  }
  return { fromMs: Math.max(0, widened.fromMs), toMs: widened.toMs };
}

type OffsetAt = (atMs: number) => number;

/** Local time minus UTC, milliseconds. */
function offsetReader(timeZone: string): OffsetAt {
  const format = formatOf(timeZone);
  return (atMs) => {
    const parts = new Map(format.formatToParts(atMs).map(({ type, value }) => [type, Number(value)]));
    const part = (type: Intl.DateTimeFormatPartTypes): number => parts.get(type) ?? 0;
    const localMs = Date.UTC(
      part("year"),
      part("month") - 1,
      part("day"),
      part("hour"),
      part("minute"),
      part("second"),
    );
    return localMs - Math.floor(atMs / 1000) * 1000;
  };
}

function formatOf(timeZone: string): Intl.DateTimeFormat {
  try {
    return new Intl.DateTimeFormat("en-US", {
      timeZone,
      hourCycle: "h23",
      year: "numeric",
      month: "numeric",
      day: "numeric",
      hour: "numeric",
      minute: "numeric",
      second: "numeric",
    });
  } catch (cause) {
    throw new HuishiError(
      "TIME_ZONE_UNKNOWN",
      "The time zone is unknown; use an IANA name such as Asia/Shanghai.",
      { cause, details: { field: "timeZone", timeZone } },
    );
  }
}

/** When the local day began that holds this moment. */
function dayStart(atMs: number, offsetAt: OffsetAt): number {
  const localMs = atMs + offsetAt(atMs);
  const localStartMs = localMs - (((localMs % DAY_MS) + DAY_MS) % DAY_MS);
  // The offset at the day's start may be another one than now.
  const guessMs = localStartMs - offsetAt(atMs);
  return localStartMs - offsetAt(guessMs);
}
