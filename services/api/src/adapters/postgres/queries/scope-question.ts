import type { ScopeAsked } from "../../../application/statistics.ts";
import { all, type Question, Values } from "./question.ts";

/**
 * Members and the ids of their groups, of the small tables of configuration. `below` has each asked area with every area
 * under it; it is there only when areas matter.
 */
export function scopeQuestion(asked: ScopeAsked): Question {
  const values = new Values();
  const byArea = asked.areaIds !== null || asked.groupBy === "area";
  const below = byArea ? belowAreas(asked, values) : "";
  const { from, member, ownId } = sourceOf(asked);
  const where = all(
    "true",
    asked.what === "crossings" ? "r.settings ->> 'kind' = 'line_crossing'" : null,
    asked.what === "visits" ? "z.kind = 'polygon'" : null,
    isIn("c.id", asked.cameraIds, values),
    isIn("z.id", asked.zoneIds, values),
    isIn("r.id", asked.ruleIds, values),
  );
  const key = asked.groupBy === "area" ? "below.root" : asked.groupBy === "camera" ? "c.id" : ownId;
  const text = `${below} SELECT DISTINCT ${member} AS member, ${key} AS key FROM ${from}
    ${byArea ? "JOIN below ON below.id = c.area_id" : ""} WHERE ${where} ORDER BY 2, 1`;
  return { text, values: values.list };
}

function belowAreas(asked: ScopeAsked, values: Values): string {
  const roots =
    asked.areaIds === null ? "parent_id IS NULL" : `id = ANY(${values.add(asked.areaIds)}::text[])`;
  return `WITH RECURSIVE below (root, id) AS (
      SELECT id, id FROM area WHERE ${roots}
      UNION SELECT below.root, area.id FROM area JOIN below ON area.parent_id = below.id)`;
}

function sourceOf({ what }: ScopeAsked): { from: string; member: string; ownId: string } {
  if (what === "visits") {
    return { from: "zone AS z JOIN camera AS c ON c.id = z.camera_id", member: "z.no", ownId: "z.id" };
  }
  if (what === "crossings") {
    return { from: "rule AS r JOIN camera AS c ON c.id = r.camera_id", member: "r.id", ownId: "r.id" };
  }
  return { from: "camera AS c", member: "c.no", ownId: "c.id" };
}

function isIn(column: string, ids: readonly string[] | null, values: Values): string | null {
  return ids === null ? null : `${column} = ANY(${values.add(ids)}::text[])`;
}
