import type { DwellAsked, FlowsAsked, OccupancyAsked } from "../../../application/zone-statistics.ts";
import { codeOf, codesOf } from "../class-codes.ts";
import { all, millisOf, type Question, Values } from "./question.ts";

/** Sorted by bytes, whatever the database's own order. */
const keyOf = (expression: string): string => `(${expression})::text COLLATE "C"`;

const rangeOf = ({ fromMs, toMs }: { fromMs: number; toMs: number }, values: Values): string =>
  `${values.add(new Date(fromMs))}::timestamptz, ${values.add(new Date(toMs))}::timestamptz`;

const zonesAmong = ({ members }: DwellAsked["scope"], values: Values): string =>
  `zone_no = ANY(${values.add(members)}::integer[])`;

/** Gives the rows of `part` their zones' ids. */
const zonesJoined = ({ members, keys }: DwellAsked["scope"], values: Values): string =>
  `JOIN unnest(${values.add(members)}::integer[], ${values.add(keys)}::text[]) AS zone (no, id) ON zone.no = part.zone_no`;

/** Stays by key, with the bins of each as two lists. A zone counts once, however many of the areas it is in were named. */
export function dwellQuestion(asked: DwellAsked): Question {
  const values = new Values();
  const { groupBy, classes, after } = asked;
  const byZone = groupBy === "zone" || groupBy === "zone_class";
  const byClass = groupBy === "class" || groupBy === "zone_class";
  const range = rangeOf(asked.range, values);
  const where = all(
    zonesAmong(asked.scope, values),
    classes === null ? null : `class_code = ANY(${values.add(codesOf(classes))}::smallint[])`,
  );
  const zone = keyOf(byZone ? "zone.id" : "''");
  const text = `
    SELECT ${zone} AS zone, part.class_code, array_agg(part.bin ORDER BY part.bin) AS bins,
           array_agg(part.visits ORDER BY part.bin) AS visits, sum(part.dwell_ms)::float8 AS dwell_ms
    FROM (SELECT ${byZone ? "zone_no" : "0"} AS zone_no, ${byClass ? "class_code" : "0"} AS class_code, bin,
                 sum(visits)::float8 AS visits, sum(dwell_ms_sum) AS dwell_ms
          FROM huishi_store.zone_dwell_hour(${range}) AS rolled WHERE ${where} GROUP BY 1, 2, 3) AS part
    ${byZone ? zonesJoined(asked.scope, values) : ""}
    GROUP BY 1, 2 ${
      after === null
        ? ""
        : `HAVING (${zone}, part.class_code) > (${values.add(after.zone)}::text, ${values.add(codeOf(after.objectClass))}::integer)`
    }
    ORDER BY 1, 2 LIMIT ${values.add(asked.limit)}`;
  return { text, values: values.list };
}

/** The class code of rows that stand for all objects together, and tell how long was looked. */
const ALL_CLASSES = 0;

/**
 * Buckets of zones for each wanted class. What was looked at stands in the rows of all objects; a class without a row of
 * its own was not there. Minutes lie in the series itself, hours in its sums.
 */
export function occupancyQuestion(asked: OccupancyAsked): Question {
  const values = new Values();
  const { by, classes, after } = asked;
  const fromMs = Math.max(asked.range.fromMs, after?.atMs ?? 0);
  const range = { fromMs, toMs: asked.range.toMs };
  const wanted = classes === null ? [ALL_CLASSES] : codesOf(classes);
  const wantedCodes = values.add(wanted);
  const bucket = by === "day" ? `date_trunc('day', bucket, ${values.add(asked.timeZone)})` : "bucket";
  const where = `${zonesAmong(asked.scope, values)} AND class_code = ANY(${values.add([...wanted, ALL_CLASSES])}::smallint[])`;
  const own = "FILTER (WHERE rolled.class_code = wanted.code)";
  const key = keyOf("zone.id");
  const text = `
    SELECT ${millisOf("part.bucket")} AS at_ms, ${key} AS zone, part.code, part.object_ms, part.watched_ms, part.objects_max
    FROM (SELECT ${bucket} AS bucket, zone_no, wanted.code,
                 coalesce(sum(object_ms) ${own}, 0)::float8 AS object_ms,
                 coalesce(sum(watched_ms) FILTER (WHERE rolled.class_code = ${ALL_CLASSES}), 0)::float8 AS watched_ms,
                 coalesce(max(objects_max) ${own}, 0)::integer AS objects_max
          FROM ${occupancyRows(by, range, values)} AS rolled CROSS JOIN unnest(${wantedCodes}::integer[]) AS wanted (code)
          WHERE ${where} GROUP BY 1, 2, 3) AS part ${zonesJoined(asked.scope, values)}
    ${after === null ? "" : `WHERE (part.bucket, ${key}, part.code) > (${values.add(new Date(after.atMs))}::timestamptz, ${values.add(after.zone)}::text, ${values.add(codeOf(after.objectClass))}::integer)`}
    ORDER BY part.bucket, 2, 3 LIMIT ${values.add(asked.limit)}`;
  return { text, values: values.list };
}

function occupancyRows(
  by: OccupancyAsked["by"],
  range: { fromMs: number; toMs: number },
  values: Values,
): string {
  if (by !== "minute") return `huishi_store.zone_occupancy_hour(${rangeOf(range, values)})`;
  const [from, to] = [values.add(new Date(range.fromMs)), values.add(new Date(range.toMs))];
  return `(SELECT minute AS bucket, zone_no, class_code, object_ms, watched_ms, objects_max FROM zone_occupancy
           WHERE minute >= ${from} AND minute < ${to})`;
}

/** Ways between zones that are still there. */
export function flowsQuestion(asked: FlowsAsked): Question {
  const values = new Values();
  const { classes, byClass, withinCode, via, after } = asked;
  const range = rangeOf(asked.range, values);
  const where = all(
    `camera_no = ${values.add(asked.cameraNo)}`,
    classes === null ? null : `class_code = ANY(${values.add(codesOf(classes))}::smallint[])`,
    withinCode === null ? null : `within_code <= ${values.add(withinCode)}`,
    via === "direct" ? "direct" : null,
  );
  const [from, to] = [keyOf("from_zone.id"), keyOf("to_zone.id")];
  const text = `
    SELECT ${from} AS from_zone, ${to} AS to_zone, part.class_code, part.flows
    FROM (SELECT from_zone_no, to_zone_no, ${byClass ? "class_code" : "0"} AS class_code, sum(flows)::float8 AS flows
          FROM huishi_store.zone_flow_hour(${range}) AS rolled WHERE ${where} GROUP BY 1, 2, 3) AS part
    JOIN zone AS from_zone ON from_zone.no = part.from_zone_no JOIN zone AS to_zone ON to_zone.no = part.to_zone_no
    ${after === null ? "" : `WHERE (${from}, ${to}, part.class_code) > (${values.add(after.from)}::text, ${values.add(after.to)}::text, ${values.add(codeOf(after.objectClass))}::integer)`}
    ORDER BY 1, 2, 3 LIMIT ${values.add(asked.limit)}`;
  return { text, values: values.list };
}
