import { CountsQuery, CountsSchema, HeatMapQuery, HeatMapSchema } from "@huishi/contracts";
import { countRows, heatMap, type StatisticsParts, zoneHeatMap } from "../../../application/statistics.ts";
import type { App } from "../app-type.ts";
import { errorResponses, IdParams } from "../schemas.ts";

/** Counts and heat maps, from sums. */
export function addStatisticsRoutes(app: App, statistics: StatisticsParts): void {
  const tags = ["statistics"];
  app.get(
    "/api/v1/statistics/counts",
    {
      schema: {
        tags,
        summary: "Counts by minute (at most 2 days), hour (62) or day (400)",
        querystring: CountsQuery,
        response: { 200: CountsSchema, ...errorResponses },
      },
    },
    ({ query }) => countRows(statistics, query),
  );
  app.get(
    "/api/v1/cameras/:id/heat-map",
    {
      schema: {
        tags,
        summary: "Where objects stood in a camera's picture (at most 31 days, whole hours)",
        params: IdParams,
        querystring: HeatMapQuery,
        response: { 200: HeatMapSchema, ...errorResponses },
      },
    },
    ({ params, query: { fromMs, toMs, class: classes = null } }) =>
      heatMap(statistics, { cameraId: params.id, zone: null, range: { fromMs, toMs }, classes }),
  );
  app.get(
    "/api/v1/zones/:id/heat-map",
    {
      schema: {
        tags,
        summary: "Where objects stood within a zone (at most 31 days, whole hours)",
        params: IdParams,
        querystring: HeatMapQuery,
        response: { 200: HeatMapSchema, ...errorResponses },
      },
    },
    ({ params, query: { fromMs, toMs, class: classes = null } }) =>
      zoneHeatMap(statistics, { zoneId: params.id, range: { fromMs, toMs }, classes }),
  );
}
