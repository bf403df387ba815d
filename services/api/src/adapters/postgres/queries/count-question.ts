import type { CountsAsked } from "../../../application/statistics.ts";
import type { CountRollup } from "../../../domain/count-plan.ts";
import { codesOf } from "../class-codes.ts";
import { all, millisOf, type Question, Values } from "./question.ts";

interface RollupShape {
  /** What its rows belong to; null where they are sums over all. */
  readonly member: "camera_no" | "zone_no" | "rule_id" | null;
  readonly sums: string;
}

const shape = (
  member: RollupShape["member"],
  count: string,
  leftToRight = "NULL",
  dwell = "NULL",
): RollupShape => ({
  member,
  sums: `sum(${count})::bigint AS total, ${leftToRight}::bigint AS left_to_right, ${dwell}::bigint AS dwell_ms`,
});
const LINE = shape("rule_id", "crossings", "sum(crossings) FILTER (WHERE left_to_right)");
const ZONE = shape("zone_no", "visits", "NULL", "sum(dwell_ms_sum)");
const CAMERA_DETECTIONS = shape("camera_no", "detections");
const ALL_DETECTIONS = shape(null, "detections");
const TRACKS = shape("camera_no", "tracks");

/** Our own names: no value of a request ever stands in a statement's text. */
const ROLLUPS: Readonly<Record<CountRollup, RollupShape>> = {
  detection_minute: CAMERA_DETECTIONS,
  detection_hour: CAMERA_DETECTIONS,
  detection_camera_minute: CAMERA_DETECTIONS,
  detection_class_minute: ALL_DETECTIONS,
  detection_class_hour: ALL_DETECTIONS,
  track_minute: TRACKS,
  track_hour: TRACKS,
  zone_minute: ZONE,
  zone_hour: ZONE,
  line_minute: LINE,
  line_hour: LINE,
};

/**
 * Counts by bucket and key. Inside, sums by bucket and member; outside, members are given their group's id. Buckets before
 * the page's first are not read.
 */
export function countQuestion(asked: CountsAsked): Question {
  const values = new Values();
  const { member, sums } = ROLLUPS[asked.rollup];
  const fromMs = Math.max(asked.range.fromMs, asked.after?.atMs ?? 0);
  const range = `${values.add(new Date(fromMs))}::timestamptz, ${values.add(new Date(asked.range.toMs))}::timestamptz`;
  const bucket = asked.by === "day" ? `date_trunc('day', bucket, ${values.add(asked.timeZone)})` : "bucket";
  const grouping = groupingOf(asked, member, values);
  const where = all("true", grouping.restriction, classRestriction(asked, values));
  const text = `
    SELECT ${millisOf("part.bucket")} AS at_ms, ${grouping.key} AS sort_key, sum(part.total)::float8 AS total,
           sum(part.left_to_right)::float8 AS left_to_right, sum(part.dwell_ms)::float8 AS dwell_ms
    FROM (SELECT ${bucket} AS bucket, ${grouping.inner} AS member, ${grouping.byClass ? "class_code" : "0"} AS class_code, ${sums}
          FROM huishi_store.${asked.rollup}(${range}) AS rolled
          WHERE ${where} GROUP BY 1, 2, 3) AS part ${grouping.join}
    GROUP BY part.bucket, 2 ${afterKeyset(asked, grouping.key, values)}
    ORDER BY part.bucket, 2 LIMIT ${values.add(asked.limit)}`;
  return { text, values: values.list };
}

interface Grouping {
  /** What the inner query groups by beside the bucket. */
  readonly inner: string;
  /** Beside its members' own key. */
  readonly byClass: boolean;
  readonly restriction: string | null;
  readonly join: string;
  readonly key: string;
}

function groupingOf(asked: CountsAsked, member: RollupShape["member"], values: Values): Grouping {
  const { scope, scopeRestricts, groupBy } = asked;
  const byClass = groupBy === "zone_class" || groupBy === "line_class";
  if (scope === null || member === null) {
    return {
      inner: groupBy === "class" ? "class_code" : "0",
      byClass,
      restriction: null,
      join: "",
      key: keyOf("part.member"),
    };
  }
  const type = member === "rule_id" ? "text" : "integer";
  const members = values.add(scope.members);
  const restriction = scopeRestricts ? `${member} = ANY(${members}::${type}[])` : null;
  if (groupBy === "none" || groupBy === "class") {
    return {
      inner: groupBy === "class" ? "class_code" : "0",
      byClass,
      restriction,
      join: "",
      key: keyOf("part.member"),
    };
  }
  const join = `${scopeRestricts ? "JOIN" : "LEFT JOIN"} unnest(${members}::${type}[], ${values.add(scope.keys)}::text[])
      AS scope (member, key) ON scope.member = part.member`;
  // Without a key: what was deleted since.
  const key = "coalesce(scope.key, '')";
  // Ids have no spaces (contracts: Id), so the class stands clear of them.
  return {
    inner: member,
    byClass,
    restriction,
    join,
    key: keyOf(byClass ? `${key} || ' ' || part.class_code` : key),
  };
}

/** Sorted by bytes, whatever the database's own order. */
const keyOf = (expression: string): string => `(${expression})::text COLLATE "C"`;

function classRestriction(asked: CountsAsked, values: Values): string | null {
  if (asked.classes === null) return null;
  return `class_code = ANY(${values.add(codesOf(asked.classes))}::smallint[])`;
}

function afterKeyset({ after }: CountsAsked, key: string, values: Values): string {
  if (after === null) return "";
  const [at, afterKey] = [values.add(new Date(after.atMs)), values.add(after.key)];
  return `HAVING (part.bucket, ${key}) > (${at}::timestamptz, ${afterKey}::text)`;
}
