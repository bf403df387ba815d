import {
  type CountGroup,
  type CountPoint,
  CountsQuery,
  CountsSchema,
  HeatMapQuery,
  HeatMapSchema,
  MAX_COUNT_POINTS,
} from "@huishi/contracts";
import type { Named } from "../../../application/scope.ts";
import { countRows, heatMap, zoneHeatMap } from "../../../application/statistics.ts";
import type { ZoneStatisticsParts } from "../../../application/zone-statistics.ts";
import { COUNT_SHEET, HEAT_SHEET } from "../../../domain/statistics-sheets.ts";
import type { App } from "../app-type.ts";
import { errorResponses, IdParams } from "../schemas.ts";
import { prefersSheet, sendSheet, withSheet } from "../sheet-reply.ts";
import { addZoneStatisticsRoutes } from "./zone-statistics-routes.ts";

const tags = ["statistics"];

/** Counts, heat maps and what zones say, from sums. */
export function addStatisticsRoutes(app: App, statistics: ZoneStatisticsParts): void {
  app.get(
    "/api/v1/statistics/counts",
    {
      schema: {
        tags,
        summary: "Counts by minute (at most 2 days), hour (62) or day (400)",
        querystring: CountsQuery,
        response: { 200: withSheet(CountsSchema), ...errorResponses },
      },
    },
    async ({ query, headers }, reply) => {
      if (!prefersSheet(headers.accept)) return countRows(statistics, query);
      return sendSheet(reply, "counts", {
        sheet: COUNT_SHEET,
        read: async (after) => {
          const asked = after === null ? query : { ...query, after };
          const { points, next } = await countRows(statistics, { ...asked, limit: MAX_COUNT_POINTS });
          return { rows: points, next, names: await namesOfKeys(statistics, query, points) };
        },
      });
    },
  );
  addHeatMapRoutes(app, statistics);
  addZoneStatisticsRoutes(app, statistics);
}

/** What the keys of each grouping are ids of; others are classes, or nothing. */
const KEYS_OF: Partial<Record<CountGroup, Named>> = {
  camera: "camera",
  area: "area",
  zone: "zone",
  zone_class: "zone",
  line: "rule",
  line_class: "rule",
};

function namesOfKeys(
  { names }: ZoneStatisticsParts,
  { groupBy = "none" }: CountsQuery,
  points: readonly CountPoint[],
): Promise<ReadonlyMap<string, string>> {
  const kind = KEYS_OF[groupBy];
  const ids = [...new Set(points.flatMap(({ key }) => (key === null ? [] : [key])))];
  return kind === undefined ? Promise.resolve(new Map()) : names.namesOf(kind, ids);
}

function addHeatMapRoutes(app: App, statistics: ZoneStatisticsParts): void {
  const schema = {
    tags,
    params: IdParams,
    querystring: HeatMapQuery,
    response: { 200: withSheet(HeatMapSchema), ...errorResponses },
  };
  app.get(
    "/api/v1/cameras/:id/heat-map",
    {
      schema: {
        ...schema,
        summary: "Where objects stood in a camera's picture (at most 31 days, whole hours)",
      },
    },
    async ({ params, query: { fromMs, toMs, class: classes = null, byClass = false }, headers }, reply) => {
      const range = { fromMs, toMs };
      const map = await heatMap(statistics, { cameraId: params.id, zone: null, range, classes, byClass });
      if (!prefersSheet(headers.accept)) return map;
      const read = async () => ({ rows: map.cells, next: null });
      return sendSheet(reply, "heat-map", { sheet: HEAT_SHEET, read });
    },
  );
  app.get(
    "/api/v1/zones/:id/heat-map",
    {
      schema: { ...schema, summary: "Where objects stood within a zone (at most 31 days, whole hours)" },
    },
    async ({ params, query: { fromMs, toMs, class: classes = null, byClass = false }, headers }, reply) => {
      const map = await zoneHeatMap(statistics, {
        zoneId: params.id,
        range: { fromMs, toMs },
        classes,
        byClass,
      });
      if (!prefersSheet(headers.accept)) return map;
      const read = async () => ({ rows: map.cells, next: null });
      return sendSheet(reply, "heat-map", { sheet: HEAT_SHEET, read });
    },
  );
}
