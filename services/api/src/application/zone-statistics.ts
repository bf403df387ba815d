import {
  type Dwell,
  type DwellGroup,
  type DwellQuery,
  FLOW_WITHIN_MINUTES,
  type Flows,
  type FlowsQuery,
  type FlowVia,
  type Granularity,
  type ObjectClass,
  type Occupancy,
  type OccupancyPoint,
  type OccupancyQuery,
  type TimeRange,
  type ZoneFlowCount,
} from "@huishi/contracts";
import { HuishiError } from "@huishi/kernel";
import { countRange } from "../domain/count-plan.ts";
import { boundedBins, type DwellBins, dwellQuantileMs } from "../domain/dwell.ts";
import { formatPageCursor, type Keyset, parsePageCursor, timeField } from "../domain/page-cursor.ts";
import { checkRange, DAY_MS, HOUR_MS, widenToBuckets } from "../domain/time-range.ts";
import { requireKnown } from "./scope.ts";
import type { CountScope, StatisticsParts } from "./statistics.ts";

/** Polygons by their narrow numbers, with their ids. */
export interface DwellAsked {
  readonly range: TimeRange;
  readonly scope: CountScope;
  readonly groupBy: DwellGroup;
  readonly classes: readonly ObjectClass[] | null;
  readonly after: { readonly zone: string; readonly objectClass: string } | null;
  readonly limit: number;
}

/** Stays of one key; texts are "" where nothing is grouped by them. */
export interface DwellRow {
  readonly zone: string;
  readonly objectClass: string;
  readonly bins: DwellBins;
  readonly dwellMs: number;
}

export interface OccupancyAsked {
  readonly range: TimeRange;
  readonly by: Granularity;
  readonly timeZone: string;
  readonly scope: CountScope;
  /** null: all objects together. */
  readonly classes: readonly ObjectClass[] | null;
  readonly after: { readonly atMs: number; readonly zone: string; readonly objectClass: string } | null;
  readonly limit: number;
}

export interface FlowsAsked {
  readonly range: TimeRange;
  readonly cameraNo: number;
  readonly classes: readonly ObjectClass[] | null;
  readonly byClass: boolean;
  /** `within_code` of the sums is at most this; null: however long it took. */
  readonly withinCode: number | null;
  readonly via: FlowVia;
  readonly after: { readonly from: string; readonly to: string; readonly objectClass: string } | null;
  readonly limit: number;
}

export interface ZoneStatisticsStore {
  /** In order of zone and class. */
  dwell(asked: DwellAsked): Promise<DwellRow[]>;
  /** In order of bucket, zone and class. */
  occupancy(asked: OccupancyAsked): Promise<OccupancyPoint[]>;
  /** In order of zones and class. */
  flows(asked: FlowsAsked): Promise<ZoneFlowCount[]>;
}

/** What the questions of zones need; `statistics` finds zones and names. */
export interface ZoneStatisticsParts extends StatisticsParts {
  readonly zoneStatistics: ZoneStatisticsStore;
}

const LONGEST_MS = 62 * DAY_MS;

/**
 * How long objects stayed in zones.
 *
 * @throws HuishiError VALIDATION_FAILED, TIME_RANGE_INVALID, TIME_RANGE_TOO_LONG, CAMERA_NOT_FOUND, AREA_NOT_FOUND,
 *   ZONE_NOT_FOUND
 */
export async function dwellTimes(parts: ZoneStatisticsParts, query: DwellQuery): Promise<Dwell> {
  checkRange(query, LONGEST_MS);
  const { groupBy = "none", limit = 100 } = query;
  const range = widenToBuckets(query, HOUR_MS);
  const after = query.after === undefined ? null : dwellCursor(parsePageCursor("dwell", query.after, 2));
  const scope = await zonesOf(parts, query);
  const classes = query.class ?? null;
  const found =
    scope.members.length === 0
      ? []
      : await parts.zoneStatistics.dwell({ range, scope, groupBy, classes, after, limit: limit + 1 });
  const page = found.slice(0, limit);
  const last = found.length > limit ? page.at(-1) : undefined;
  const next = last ? formatPageCursor("dwell", [last.zone, last.objectClass]) : null;
  return { ...range, distributions: page.map(toDistribution), next };
}

function toDistribution({ zone, objectClass, bins, dwellMs }: DwellRow): Dwell["distributions"][number] {
  const visits = bins.reduce((sum, [, count]) => sum + count, 0);
  const quantileMs = (fraction: number): number => Math.round(dwellQuantileMs(bins, fraction));
  return {
    zoneId: zone === "" ? null : zone,
    objectClass: objectClass === "" ? null : objectClass,
    visits,
    meanMs: Math.round(dwellMs / visits),
    p50Ms: quantileMs(0.5),
    p90Ms: quantileMs(0.9),
    p95Ms: quantileMs(0.95),
    bins: boundedBins(bins),
  };
}

/**
 * How many objects were in zones at once.
 *
 * @throws HuishiError VALIDATION_FAILED, TIME_RANGE_INVALID, TIME_RANGE_TOO_LONG, TIME_ZONE_UNKNOWN,
 *   TIME_ZONE_NOT_HOURLY, CAMERA_NOT_FOUND, AREA_NOT_FOUND, ZONE_NOT_FOUND
 */
export async function occupancyOf(parts: ZoneStatisticsParts, query: OccupancyQuery): Promise<Occupancy> {
  const { by, timeZone = "UTC", limit = 5_000 } = query;
  const range = countRange(query, by, timeZone);
  const after =
    query.after === undefined ? null : occupancyCursor(parsePageCursor("occupancy", query.after, 3));
  const scope = await zonesOf(parts, query);
  const asked = { range, by, timeZone, scope, classes: query.class ?? null, after, limit: limit + 1 };
  const found = scope.members.length === 0 ? [] : await parts.zoneStatistics.occupancy(asked);
  const points = found.slice(0, limit);
  const last = found.length > limit ? points.at(-1) : undefined;
  const next = last
    ? formatPageCursor("occupancy", [String(last.atMs), last.zoneId, last.objectClass ?? ""])
    : null;
  return { ...range, points, next };
}

/**
 * Ways between the zones of one camera.
 *
 * @throws HuishiError VALIDATION_FAILED, TIME_RANGE_INVALID, TIME_RANGE_TOO_LONG, CAMERA_NOT_FOUND
 */
export async function flowsBetween(parts: ZoneStatisticsParts, query: FlowsQuery): Promise<Flows> {
  checkRange(query, LONGEST_MS);
  const { cameraId, byClass = false, via = "any", limit = 2_000, withinMinutes } = query;
  const range = widenToBuckets(query, HOUR_MS);
  const after = query.after === undefined ? null : flowCursor(parsePageCursor("flows", query.after, 3));
  await requireKnown(parts.names, "camera", [cameraId]);
  const cameraNo = (await parts.names.cameraNos([cameraId]))[0] ?? 0;
  const withinCode = FLOW_WITHIN_MINUTES.findIndex((minutes) => minutes === withinMinutes);
  const found = await parts.zoneStatistics.flows({
    range,
    cameraNo,
    classes: query.class ?? null,
    byClass,
    withinCode: withinCode < 0 ? null : withinCode,
    via,
    after,
    limit: limit + 1,
  });
  const flows = found.slice(0, limit);
  const last = found.length > limit ? flows.at(-1) : undefined;
  const next = last
    ? formatPageCursor("flows", [last.fromZoneId, last.toZoneId, last.objectClass ?? ""])
    : null;
  return { ...range, cameraId, flows, next };
}

/** Polygons that are meant; somebody has to say which, for all of a city at once is a question for many. */
async function zonesOf(
  { store, names }: ZoneStatisticsParts,
  { cameraId, areaId, zoneId }: Pick<DwellQuery, "cameraId" | "areaId" | "zoneId">,
): Promise<CountScope> {
  if (cameraId === undefined && areaId === undefined && zoneId === undefined) {
    throw new HuishiError(
      "VALIDATION_FAILED",
      "Name zones, cameras or areas: `zoneId`, `cameraId` or `areaId`.",
      {
        details: { field: "zoneId", where: "querystring" },
      },
    );
  }
  await Promise.all([
    requireKnown(names, "camera", cameraId ?? []),
    requireKnown(names, "area", areaId ?? []),
    requireKnown(names, "zone", zoneId ?? []),
  ]);
  return store.resolveScope({
    what: "visits",
    groupBy: "zone",
    cameraIds: cameraId ?? null,
    areaIds: areaId ?? null,
    zoneIds: zoneId ?? null,
    ruleIds: null,
  });
}

/** Ids are at most 64 characters; what is longer is no id and sorts after it all the same. */
const textOf = (keyset: Keyset, index: number): string => (keyset[index] ?? "").slice(0, 64);

const dwellCursor = (keyset: Keyset): { zone: string; objectClass: string } => ({
  zone: textOf(keyset, 0),
  objectClass: textOf(keyset, 1),
});
const occupancyCursor = (keyset: Keyset): { atMs: number; zone: string; objectClass: string } => ({
  atMs: timeField(keyset, 0),
  zone: textOf(keyset, 1),
  objectClass: textOf(keyset, 2),
});
const flowCursor = (keyset: Keyset): { from: string; to: string; objectClass: string } => ({
  from: textOf(keyset, 0),
  to: textOf(keyset, 1),
  objectClass: textOf(keyset, 2),
});
