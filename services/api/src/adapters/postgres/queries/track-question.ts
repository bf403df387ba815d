import type { TracksAsked } from "../../../application/perception.ts";
import { headingRanges } from "../../../domain/heading.ts";
import { DAY_MS } from "../../../domain/time-range.ts";
import { codesOf } from "../class-codes.ts";
import { all, isoOfMicros, microsOf, millisOf, type Question, Values } from "./question.ts";

/** Nothing is tracked for longer: what began earlier is not looked for, so that old chunks are not either. */
const LONGEST_TRACK_MS = DAY_MS;

/** A search over tracks, or over visits of a zone or crossings of a line with the track of each. */
export function trackQuestion(asked: TracksAsked): Question {
  const values = new Values();
  if (asked.zoneId !== null) return visitSearch(asked, asked.zoneId, values);
  if (asked.ruleId !== null) return crossingSearch(asked, asked.ruleId, values);
  return trackSearch(asked, values);
}

const TRACK_COLUMNS = `t.id, c.id AS camera_id, t.class_code, ${millisOf("t.first_seen_at")} AS first_seen_ms,
  ${millisOf("t.last_seen_at")} AS last_seen_ms, t.observations, t.score, t.heading_deg`;

function trackSearch(asked: TracksAsked, values: Values): Question {
  const { range } = asked;
  const where = all(
    `t.first_seen_at >= ${values.add(new Date(range.fromMs - LONGEST_TRACK_MS))}`,
    `t.first_seen_at < ${values.add(new Date(range.toMs))}`,
    `t.last_seen_at >= ${values.add(new Date(range.fromMs))}`,
    beforeKeyset(asked, "t.first_seen_at", "t.id", values),
    oneOf("t.camera_no", asked.cameraNos, "integer", values),
    oneOf("t.class_code", asked.classes && codesOf(asked.classes), "smallint", values),
    ...trackConditions(asked, values),
  );
  const text = `
    SELECT ${microsOf("t.first_seen_at")} AS micros, ${TRACK_COLUMNS}, ${pathColumn(asked)}
    FROM track AS t LEFT JOIN camera AS c ON c.no = t.camera_no
    WHERE ${where} ORDER BY t.first_seen_at DESC, t.id DESC LIMIT ${values.add(asked.limit)}`;
  return { text, values: values.list };
}

function visitSearch(asked: TracksAsked, zoneId: string, values: Values): Question {
  const { range } = asked;
  const where = all(
    `v.zone_no = (SELECT no FROM zone WHERE id = ${values.add(zoneId)})`,
    `v.entered_at >= ${values.add(new Date(range.fromMs - LONGEST_TRACK_MS))}`,
    `v.entered_at < ${values.add(new Date(range.toMs))}`,
    `v.left_at >= ${values.add(new Date(range.fromMs))}`,
    beforeKeyset(asked, "v.entered_at", "v.track_id", values),
    oneOf("v.camera_no", asked.cameraNos, "integer", values),
    oneOf("v.class_code", asked.classes && codesOf(asked.classes), "smallint", values),
  );
  const text = `
    SELECT ${microsOf("v.entered_at")} AS micros, ${TRACK_COLUMNS}, ${pathColumn(asked)},
           ${millisOf("v.entered_at")} AS entered_ms, ${millisOf("v.left_at")} AS left_ms
    FROM zone_visit AS v
    ${trackOf("v.track_id", "v.entered_at", asked, values)}
    LEFT JOIN camera AS c ON c.no = t.camera_no
    WHERE ${where} ORDER BY v.entered_at DESC, v.track_id DESC LIMIT ${values.add(asked.limit)}`;
  return { text, values: values.list };
}

function crossingSearch(asked: TracksAsked, ruleId: string, values: Values): Question {
  const { range } = asked;
  const where = all(
    `x.rule_id = ${values.add(ruleId)}`,
    `x.crossed_at >= ${values.add(new Date(range.fromMs))}`,
    `x.crossed_at < ${values.add(new Date(range.toMs))}`,
    beforeKeyset(asked, "x.crossed_at", "x.track_id", values),
    asked.crossed === null ? null : `x.left_to_right = ${values.add(asked.crossed === "left_to_right")}`,
    oneOf("x.camera_no", asked.cameraNos, "integer", values),
    oneOf("x.class_code", asked.classes && codesOf(asked.classes), "smallint", values),
  );
  const text = `
    SELECT ${microsOf("x.crossed_at")} AS micros, ${TRACK_COLUMNS}, ${pathColumn(asked)},
           ${millisOf("x.crossed_at")} AS crossed_ms, x.left_to_right
    FROM line_crossing AS x
    ${trackOf("x.track_id", "x.crossed_at", asked, values)}
    LEFT JOIN camera AS c ON c.no = t.camera_no
    WHERE ${where} ORDER BY x.crossed_at DESC, x.track_id DESC LIMIT ${values.add(asked.limit)}`;
  return { text, values: values.list };
}

/**
 * The track that a visit or crossing belongs to, if it fits. A lateral subquery with a limit: the planner can only look it
 * up by its key, row by row, and stops when the page is full. The bound in time is given as values too: the chunks that
 * cannot hold it are left out before the first row.
 */
function trackOf(idColumn: string, atColumn: string, asked: TracksAsked, values: Values): string {
  const { range } = asked;
  const where = all(
    `found.id = ${idColumn}`,
    `found.first_seen_at <= ${atColumn}`,
    `found.first_seen_at >= ${atColumn} - interval '1 day'`,
    `found.first_seen_at >= ${values.add(new Date(range.fromMs - 2 * LONGEST_TRACK_MS))}`,
    `found.first_seen_at < ${values.add(new Date(range.toMs))}`,
    ...trackConditions(asked, values, "found"),
  );
  return `CROSS JOIN LATERAL (
      SELECT * FROM track AS found WHERE ${where} ORDER BY found.first_seen_at DESC LIMIT 1
    ) AS t`;
}

function trackConditions(asked: TracksAsked, values: Values, table = "t"): (string | null)[] {
  const ranges = asked.heading === null ? [] : headingRanges(asked.heading);
  const headings = ranges.map(
    ([fromDeg, toDeg]) =>
      `(${table}.heading_deg >= ${values.add(fromDeg)} AND ${table}.heading_deg < ${values.add(toDeg)})`,
  );
  return [
    headings.length === 0 ? null : `(${headings.join(" OR ")})`,
    asked.minDurationMs === null
      ? null
      : `${table}.last_seen_at - ${table}.first_seen_at >= ${values.add(asked.minDurationMs)} * interval '1 millisecond'`,
  ];
}

function beforeKeyset(
  { before }: TracksAsked,
  atColumn: string,
  idColumn: string,
  values: Values,
): string | null {
  if (before === null) return null;
  return `(${atColumn}, ${idColumn}) < (${values.add(isoOfMicros(before.micros))}::timestamptz, ${values.add(before.trackId)}::bigint)`;
}

function oneOf(
  column: string,
  wanted: readonly number[] | null,
  type: "integer" | "smallint",
  values: Values,
): string | null {
  if (wanted === null) return null;
  // One value keeps the index' own order, so that a page needs no sort.
  return wanted.length === 1
    ? `${column} = ${values.add(wanted[0])}::${type}`
    : `${column} = ANY(${values.add(wanted)}::${type}[])`;
}

const pathColumn = (asked: TracksAsked): string => (asked.withPath ? "t.path" : "NULL::jsonb AS path");
