import {
  DwellQuery,
  DwellSchema,
  FlowsQuery,
  FlowsSchema,
  MAX_OCCUPANCY_POINTS,
  OccupancyQuery,
  OccupancySchema,
} from "@huishi/contracts";
import {
  dwellTimes,
  flowsBetween,
  occupancyOf,
  type ZoneStatisticsParts,
} from "../../../application/zone-statistics.ts";
import { DWELL_SHEET, FLOW_SHEET, OCCUPANCY_SHEET } from "../../../domain/statistics-sheets.ts";
import type { App } from "../app-type.ts";
import { errorResponses } from "../schemas.ts";
import { prefersSheet, sendSheet, withSheet } from "../sheet-reply.ts";

const tags = ["statistics"];
/** A sheet takes the longest pages that the question has. */
const pageOf = <Query extends object>(query: Query, after: string | null, limit: number): Query => ({
  ...query,
  ...(after === null ? {} : { after }),
  limit,
});

/** How many at once, how long, from where to where. */
export function addZoneStatisticsRoutes(app: App, statistics: ZoneStatisticsParts): void {
  addDwell(app, statistics);
  addOccupancy(app, statistics);
  addFlows(app, statistics);
}

function addDwell(app: App, statistics: ZoneStatisticsParts): void {
  const zoneNames = namesIn(statistics);
  app.get(
    "/api/v1/statistics/dwell",
    {
      schema: {
        tags,
        summary: "How long objects stayed in zones: quantiles and bins (at most 62 days, whole hours)",
        querystring: DwellQuery,
        response: { 200: withSheet(DwellSchema), ...errorResponses },
      },
    },
    async ({ query, headers }, reply) => {
      if (!prefersSheet(headers.accept)) return dwellTimes(statistics, query);
      return sendSheet(reply, "dwell", {
        sheet: DWELL_SHEET,
        read: async (after) => {
          const { distributions, next } = await dwellTimes(statistics, pageOf(query, after, 500));
          return {
            names: await zoneNames(distributions.map(({ zoneId }) => zoneId)),
            rows: distributions.flatMap(({ bins, ...own }) => bins.map((bin) => ({ ...own, bin }))),
            next,
          };
        },
      });
    },
  );
}

function addOccupancy(app: App, statistics: ZoneStatisticsParts): void {
  const zoneNames = namesIn(statistics);
  app.get(
    "/api/v1/statistics/occupancy",
    {
      schema: {
        tags,
        summary:
          "Objects in zones at once, mean and most, by minute (at most 2 days), hour (62) or day (400)",
        querystring: OccupancyQuery,
        response: { 200: withSheet(OccupancySchema), ...errorResponses },
      },
    },
    async ({ query, headers }, reply) => {
      if (!prefersSheet(headers.accept)) return occupancyOf(statistics, query);
      return sendSheet(reply, "occupancy", {
        sheet: OCCUPANCY_SHEET,
        read: async (after) => {
          const { points, next } = await occupancyOf(statistics, pageOf(query, after, MAX_OCCUPANCY_POINTS));
          return { rows: points, next, names: await zoneNames(points.map(({ zoneId }) => zoneId)) };
        },
      });
    },
  );
}

function addFlows(app: App, statistics: ZoneStatisticsParts): void {
  const zoneNames = namesIn(statistics);
  app.get(
    "/api/v1/statistics/flows",
    {
      schema: {
        tags,
        summary: "Ways between the zones of one camera, within one track each (at most 62 days, whole hours)",
        querystring: FlowsQuery,
        response: { 200: withSheet(FlowsSchema), ...errorResponses },
      },
    },
    async ({ query, headers }, reply) => {
      if (!prefersSheet(headers.accept)) return flowsBetween(statistics, query);
      return sendSheet(reply, "flows", {
        sheet: FLOW_SHEET,
        read: async (after) => {
          const { flows, next } = await flowsBetween(statistics, pageOf(query, after, 10_000));
          const names = await zoneNames(flows.flatMap(({ fromZoneId, toZoneId }) => [fromZoneId, toZoneId]));
          return { rows: flows, next, names };
        },
      });
    },
  );
}

/** What people call the zones of a page. */
const namesIn =
  ({ names }: ZoneStatisticsParts) =>
  (ids: readonly (string | null)[]): Promise<ReadonlyMap<string, string>> =>
    names.namesOf("zone", [...new Set(ids.filter((id) => id !== null))]);
