import type { Counted, CountGroup, Granularity, TimeRange } from "@huishi/contracts";
import { HuishiError } from "@huishi/kernel";
import { widenToDays } from "./local-days.ts";
import { checkRange, DAY_MS, HOUR_MS, MINUTE_MS, widenToBuckets } from "./time-range.ts";

/** Functions `huishi_store.<rollup>(from, to)` that counts are read from. */
export type CountRollup =
  | "detection_minute"
  | "detection_hour"
  | "detection_camera_minute"
  | "detection_class_minute"
  | "detection_class_hour"
  | "track_minute"
  | "track_hour"
  | "zone_minute"
  | "zone_hour"
  | "line_minute"
  | "line_hour";

const GROUPS: Readonly<Record<Counted, readonly CountGroup[]>> = {
  detections: ["none", "camera", "class", "area"],
  tracks: ["none", "camera", "class", "area"],
  visits: ["none", "camera", "class", "zone", "zone_class", "area"],
  crossings: ["none", "camera", "class", "line", "line_class", "area"],
};

const LONGEST_MS: Readonly<Record<Granularity, number>> = {
  minute: 2 * DAY_MS,
  hour: 62 * DAY_MS,
  day: 400 * DAY_MS,
};

/** What a question about counts restricts and groups by. */
export interface CountShape {
  readonly what: Counted;
  readonly by: Granularity;
  readonly groupBy: CountGroup;
  /** Restricted to cameras, by themselves or by their areas. */
  readonly byCamera: boolean;
  readonly byClass: boolean;
  readonly byZone: boolean;
  readonly byLine: boolean;
}

/**
 * The coarsest sums that still answer the question.
 *
 * @throws HuishiError COUNTS_NOT_KEPT for combinations that no sums are kept of
 */
export function chooseRollup(shape: CountShape): CountRollup {
  checkShape(shape);
  const { what, by, groupBy } = shape;
  if (what === "tracks") return by === "minute" ? "track_minute" : "track_hour";
  if (what === "visits") return by === "minute" ? "zone_minute" : "zone_hour";
  if (what === "crossings") return by === "minute" ? "line_minute" : "line_hour";
  const needsCamera = shape.byCamera || groupBy === "camera" || groupBy === "area";
  const needsClass = shape.byClass || groupBy === "class";
  if (!needsCamera) return by === "minute" ? "detection_class_minute" : "detection_class_hour";
  // 24 rows a day and class are fewer than 1,440 of all classes together: by the hour the finer keys win.
  if (by !== "minute") return "detection_hour";
  return needsClass ? "detection_minute" : "detection_camera_minute";
}

/**
 * The range widened to whole buckets.
 *
 * @throws HuishiError TIME_RANGE_INVALID, TIME_RANGE_TOO_LONG, TIME_ZONE_UNKNOWN, TIME_ZONE_NOT_HOURLY
 */
export function countRange(range: TimeRange, by: Granularity, timeZone: string): TimeRange {
  checkRange(range, LONGEST_MS[by]);
  if (by === "day") return widenToDays(range, timeZone);
  return widenToBuckets(range, by === "minute" ? MINUTE_MS : HOUR_MS);
}

function checkShape({ what, groupBy, byZone, byLine }: CountShape): void {
  if (!GROUPS[what].includes(groupBy)) {
    throw notKept(`${what} can be grouped by ${GROUPS[what].join(", ")}`, { what, groupBy });
  }
  if (byZone && what !== "visits") {
    throw notKept("zones are counted by visits (what=visits)", { what, field: "zoneId" });
  }
  if (byLine && what !== "crossings") {
    throw notKept("counting lines are counted by crossings (what=crossings)", { what, field: "ruleId" });
  }
}

function notKept(what: string, details: Readonly<Record<string, unknown>>): HuishiError {
  return new HuishiError("COUNTS_NOT_KEPT", `No sums are kept for this combination: ${what}.`, { details });
}
