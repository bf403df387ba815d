import type {
  Counted,
  CountGroup,
  CountPoint,
  Counts,
  CountsQuery,
  Granularity,
  HeatMap,
  ObjectClass,
  TimeRange,
  Zone,
} from "@huishi/contracts";
import { HEAT_COLUMNS, HEAT_ROWS, MAX_COUNT_POINTS } from "@huishi/contracts";
import { HuishiError } from "@huishi/kernel";
import { chooseRollup, countRange, type CountRollup } from "../domain/count-plan.ts";
import { cellsInside } from "../domain/heat-cells.ts";
import { formatPageCursor, parsePageCursor, timeField } from "../domain/page-cursor.ts";
import { checkRange, DAY_MS, HOUR_MS, widenToBuckets } from "../domain/time-range.ts";
import { type NameDirectory, requireKnown } from "./scope.ts";
import { type ZoneStore, zoneNotFound } from "./zones-and-rules.ts";

// Whoever may `view` counts over all cameras; grants by camera and area come with a later version and belong into
// `CountScope`: members that are not granted are left out there.

/** Which rows of the sums are meant: of cameras (detections, tracks), zones (visits) or rules (crossings). */
export interface ScopeAsked {
  readonly what: Counted;
  readonly groupBy: CountGroup;
  readonly cameraIds: readonly string[] | null;
  /** With all areas below them. */
  readonly areaIds: readonly string[] | null;
  readonly zoneIds: readonly string[] | null;
  readonly ruleIds: readonly string[] | null;
}

/** Members (numbers of cameras or zones, ids of rules) with the id of their group; a member may be in two areas. */
export interface CountScope {
  readonly members: readonly (number | string)[];
  readonly keys: readonly string[];
}

export interface CountsAsked {
  readonly rollup: CountRollup;
  readonly what: Counted;
  readonly by: Granularity;
  readonly groupBy: CountGroup;
  readonly range: TimeRange;
  readonly timeZone: string;
  /** null: all rows, no groups but classes. */
  readonly scope: CountScope | null;
  /** Whether rows outside of the scope are left out; else they are counted without a key. */
  readonly scopeRestricts: boolean;
  readonly classes: readonly ObjectClass[] | null;
  readonly after: { readonly atMs: number; readonly key: string } | null;
  readonly limit: number;
}

/** A point and the key that it is sorted by. */
export interface KeyedPoint {
  readonly point: CountPoint;
  readonly sortKey: string;
}

export interface HeatAsked {
  readonly cameraNo: number;
  readonly range: TimeRange;
  readonly classes: readonly ObjectClass[] | null;
  readonly cells: readonly number[] | null;
  readonly byClass: boolean;
}

export interface HeatCell {
  readonly cell: number;
  /** null: all classes together. */
  readonly objectClass: string | null;
  readonly detections: number;
}

/** What a heat map is asked for, beside where. */
export interface HeatOptions {
  readonly range: TimeRange;
  readonly classes: readonly ObjectClass[] | null;
  readonly byClass?: boolean;
}

export interface StatisticsStore {
  resolveScope(asked: ScopeAsked): Promise<CountScope>;
  /** In order of bucket and key. */
  count(asked: CountsAsked): Promise<KeyedPoint[]>;
  heat(asked: HeatAsked): Promise<HeatCell[]>;
}

export interface StatisticsParts {
  readonly store: StatisticsStore;
  readonly names: NameDirectory;
  readonly zones: Pick<ZoneStore, "findZone">;
}

const LONGEST_HEAT_MS = 31 * DAY_MS;

/**
 * @throws HuishiError COUNTS_NOT_KEPT, TIME_RANGE_INVALID, TIME_RANGE_TOO_LONG, TIME_ZONE_UNKNOWN,
 *   TIME_ZONE_NOT_HOURLY, CAMERA_NOT_FOUND, AREA_NOT_FOUND, ZONE_NOT_FOUND, RULE_NOT_FOUND, VALIDATION_FAILED
 */
export async function countRows({ store, names }: StatisticsParts, query: CountsQuery): Promise<Counts> {
  const { what, by, groupBy = "none", timeZone = "UTC" } = query;
  const limit = query.limit ?? Math.min(5_000, MAX_COUNT_POINTS);
  const byCamera = query.cameraId !== undefined || query.areaId !== undefined;
  const [byZone, byLine] = [query.zoneId !== undefined, query.ruleId !== undefined];
  const rollup = chooseRollup({
    what,
    by,
    groupBy,
    byCamera,
    byClass: query.class !== undefined,
    byZone,
    byLine,
  });
  const range = countRange(query, by, timeZone);
  const after = query.after === undefined ? null : readCursor(query.after);
  await requireAllKnown(names, query);
  const scopeRestricts = byCamera || byZone || byLine || groupBy === "area";
  const needsScope = scopeRestricts || !["none", "class"].includes(groupBy);
  const scope = needsScope ? await store.resolveScope(scopeOf(query, groupBy)) : null;
  if (scopeRestricts && scope?.members.length === 0) return { ...range, points: [], next: null };
  const classes = query.class ?? null;
  const found = await store.count({
    rollup,
    what,
    by,
    groupBy,
    range,
    timeZone,
    scope,
    scopeRestricts,
    classes,
    after,
    limit: limit + 1,
  });
  const page = found.slice(0, limit);
  const last = found.length > limit ? page.at(-1) : undefined;
  const next = last ? formatPageCursor("counts", [String(last.point.atMs), last.sortKey]) : null;
  return { ...range, points: page.map(({ point }) => point), next };
}

/**
 * Foot points of a camera's detections over its picture, or over one of its zones.
 *
 * @throws HuishiError TIME_RANGE_INVALID, TIME_RANGE_TOO_LONG, CAMERA_NOT_FOUND
 */
export async function heatMap(
  { store, names }: StatisticsParts,
  asked: HeatOptions & { readonly cameraId: string; readonly zone: Zone | null },
): Promise<HeatMap> {
  const { cameraId, zone, classes, byClass = false } = asked;
  checkRange(asked.range, LONGEST_HEAT_MS);
  const range = widenToBuckets(asked.range, HOUR_MS);
  await requireKnown(names, "camera", [cameraId]);
  const cameraNo = (await names.cameraNos([cameraId]))[0] ?? 0;
  const cells = zone && cellsInside(zone.points);
  const found = await store.heat({ cameraNo, range, classes, cells, byClass });
  return {
    ...range,
    cameraId,
    zoneId: zone?.id ?? null,
    zonePoints: zone?.points ?? null,
    columns: HEAT_COLUMNS,
    rows: HEAT_ROWS,
    cells: found.map(({ cell, objectClass, detections }) => ({
      column: cell % HEAT_COLUMNS,
      row: Math.floor(cell / HEAT_COLUMNS),
      detections,
      ...(objectClass === null ? {} : { objectClass }),
    })),
  };
}

/** @throws HuishiError ZONE_NOT_FOUND, ZONE_NOT_A_POLYGON, and those of heatMap */
export async function zoneHeatMap(
  parts: StatisticsParts,
  asked: HeatOptions & { readonly zoneId: string },
): Promise<HeatMap> {
  const zone = await parts.zones.findZone(asked.zoneId);
  if (zone === null) throw zoneNotFound(asked.zoneId);
  if (zone.kind !== "polygon") {
    throw new HuishiError(
      "ZONE_NOT_A_POLYGON",
      "A line has no inside; ask for a polygon or the whole camera.",
      {
        details: { zoneId: zone.id },
      },
    );
  }
  return heatMap(parts, { ...asked, cameraId: zone.cameraId, zone });
}

const scopeOf = (query: CountsQuery, groupBy: CountGroup): ScopeAsked => ({
  what: query.what,
  groupBy,
  cameraIds: query.cameraId ?? null,
  areaIds: query.areaId ?? null,
  zoneIds: query.zoneId ?? null,
  ruleIds: query.ruleId ?? null,
});

async function requireAllKnown(names: NameDirectory, query: CountsQuery): Promise<void> {
  await Promise.all([
    requireKnown(names, "camera", query.cameraId ?? []),
    requireKnown(names, "area", query.areaId ?? []),
    requireKnown(names, "zone", query.zoneId ?? []),
    requireKnown(names, "rule", query.ruleId ?? []),
  ]);
}

function readCursor(text: string): { atMs: number; key: string } {
  const keyset = parsePageCursor("counts", text, 2);
  return { atMs: timeField(keyset, 0), key: (keyset[1] ?? "").slice(0, 72) };
}
