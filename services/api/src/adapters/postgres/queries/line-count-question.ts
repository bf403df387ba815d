import type { TimeRange } from "@huishi/contracts";
import { bucketCeil, bucketFloor, HOUR_MS, MINUTE_MS } from "../../../domain/time-range.ts";
import { type Question, Values } from "./question.ts";

/**
 * Crossings of a line in exactly this range: whole hours and minutes from the sums, what is left at both ends from the
 * crossings themselves.
 */
export function lineCountQuestion(ruleId: string, range: TimeRange): Question {
  const values = new Values();
  const rule = values.add(ruleId);
  const parts = cutByBuckets(range).map(({ from, fromMs, toMs }) => {
    const [start, end] = [values.add(new Date(fromMs)), values.add(new Date(toMs))];
    return from === "line_crossing"
      ? `SELECT class_code, left_to_right, 1::bigint AS crossings FROM line_crossing
         WHERE rule_id = ${rule} AND crossed_at >= ${start} AND crossed_at < ${end}`
      : `SELECT class_code, left_to_right, crossings FROM huishi_store.${from}(${start}::timestamptz, ${end}::timestamptz) AS rolled
         WHERE rule_id = ${rule}`;
  });
  const text = `SELECT class_code, coalesce(sum(crossings) FILTER (WHERE left_to_right), 0)::float8 AS left_to_right,
           coalesce(sum(crossings) FILTER (WHERE NOT left_to_right), 0)::float8 AS right_to_left
    FROM (${parts.join(" UNION ALL ")}) AS part GROUP BY class_code ORDER BY class_code`;
  return { text, values: values.list };
}

interface Part extends TimeRange {
  readonly from: "line_crossing" | "line_minute" | "line_hour";
}

/** Hours in the middle, minutes around them, single crossings at the very ends; empty parts are left out. */
function cutByBuckets({ fromMs, toMs }: TimeRange): Part[] {
  const inner = (bucketMs: number, range: TimeRange): TimeRange => {
    const startMs = Math.min(bucketCeil(range.fromMs, bucketMs), range.toMs);
    return { fromMs: startMs, toMs: Math.max(startMs, bucketFloor(range.toMs, bucketMs)) };
  };
  const minutes = inner(MINUTE_MS, { fromMs, toMs });
  const hours = inner(HOUR_MS, minutes);
  const parts: Part[] = [
    { from: "line_crossing", fromMs, toMs: minutes.fromMs },
    { from: "line_minute", fromMs: minutes.fromMs, toMs: hours.fromMs },
    { from: "line_hour", ...hours },
    { from: "line_minute", fromMs: hours.toMs, toMs: minutes.toMs },
    { from: "line_crossing", fromMs: minutes.toMs, toMs },
  ];
  return parts.filter((part) => part.fromMs < part.toMs);
}
