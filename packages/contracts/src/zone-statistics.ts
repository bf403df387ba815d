/** What zones say over time: how many objects at once, how long they stayed, from where to where they went. */
import { type Static, Type } from "typebox";
import { EpochMs, Id } from "./common.ts";
import { NextCursor, PageCursor, pageLimit, timeRange } from "./paging.ts";
import { classList, GRANULARITIES, idList } from "./statistics.ts";

/** Polygons, by themselves, by their cameras, by areas with all areas below them. */
const zoneScope = { cameraId: idList(200), areaId: idList(50), zoneId: idList(100) };
const ClassKey = Type.Union([Type.String(), Type.Null()]);
const Count = Type.Integer({ minimum: 0 });
const Ms = Type.Number({ minimum: 0 });

/**
 * Stays are kept in bins of equal ratio: eight to a doubling from 250 ms on, so that those of any hours, zones and classes add
 * up and a quantile is within a twelfth of the truth. The first bin holds all that is shorter, the last all that is longer.
 */
export const DWELL_BIN_COUNT = 160;
/** Where a bin begins, milliseconds. Bin 0 begins at 0, whatever this says. */
export const dwellBinStartMs = (bin: number): number => (bin <= 0 ? 0 : 250 * 2 ** (bin / 8));

export const DWELL_GROUPS = ["none", "zone", "class", "zone_class"] as const;
export type DwellGroup = (typeof DWELL_GROUPS)[number];

/** At most 62 days; whole hours. A stay counts when it began. Names zones, cameras or areas. */
export const DwellQuery = Type.Object(
  {
    ...timeRange,
    ...zoneScope,
    class: classList,
    groupBy: Type.Optional(Type.Enum(DWELL_GROUPS)),
    after: Type.Optional(PageCursor),
    limit: pageLimit(500, 100),
  },
  { additionalProperties: false },
);
export type DwellQuery = Static<typeof DwellQuery>;

export const DwellDistributionSchema = Type.Object(
  {
    /** null without grouping by zones. */
    zoneId: Type.Union([Id, Type.Null()]),
    objectClass: ClassKey,
    visits: Type.Integer({ minimum: 1 }),
    meanMs: Ms,
    p50Ms: Ms,
    p90Ms: Ms,
    p95Ms: Ms,
    /** Bins that hold visits, by rising length; `toMs` null: the last bin has no end. */
    bins: Type.Array(
      Type.Object(
        { fromMs: Ms, toMs: Type.Union([Ms, Type.Null()]), visits: Type.Integer({ minimum: 1 }) },
        { additionalProperties: false },
      ),
      { maxItems: DWELL_BIN_COUNT },
    ),
  },
  { additionalProperties: false },
);
export type DwellDistribution = Static<typeof DwellDistributionSchema>;
export const DwellSchema = Type.Object(
  {
    /** As asked for, widened to whole hours. */
    ...timeRange,
    distributions: Type.Array(DwellDistributionSchema),
    next: NextCursor,
  },
  { additionalProperties: false },
);
export type Dwell = Static<typeof DwellSchema>;

/** Points of one page at most. */
export const MAX_OCCUPANCY_POINTS = 20_000;

/**
 * How many objects were in each zone at once. Longest range: 2 days by the minute, 62 by the hour, 400 by the day. Names
 * zones, cameras or areas.
 */
export const OccupancyQuery = Type.Object(
  {
    ...timeRange,
    ...zoneScope,
    by: Type.Enum(GRANULARITIES),
    /** Each class by itself; all objects together without it. */
    class: classList,
    /** IANA time zone of the days, with an offset of whole hours. Default UTC. */
    timeZone: Type.Optional(Type.String({ minLength: 1, maxLength: 64 })),
    after: Type.Optional(PageCursor),
    limit: pageLimit(MAX_OCCUPANCY_POINTS, 5_000),
  },
  { additionalProperties: false },
);
export type OccupancyQuery = Static<typeof OccupancyQuery>;

export const OccupancyPointSchema = Type.Object(
  {
    /** When the bucket begins. */
    atMs: EpochMs,
    zoneId: Id,
    /** null: all objects together. */
    objectClass: ClassKey,
    /** Over the time that was looked at; null when that is none. */
    mean: Type.Union([Type.Number({ minimum: 0 }), Type.Null()]),
    /** At once. */
    max: Count,
    /** How much of the bucket was looked at. */
    watchedMs: Count,
  },
  { additionalProperties: false },
);
export type OccupancyPoint = Static<typeof OccupancyPointSchema>;

/** Points in order of bucket, zone and class. A bucket that is absent was not looked at; nobody there is a point of 0. */
export const OccupancySchema = Type.Object(
  {
    /** As asked for, widened to whole buckets. */
    ...timeRange,
    points: Type.Array(OccupancyPointSchema, { maxItems: MAX_OCCUPANCY_POINTS }),
    next: NextCursor,
  },
  { additionalProperties: false },
);
export type Occupancy = Static<typeof OccupancySchema>;

/** A flow may be asked for up to these many minutes between leaving the one zone and entering the other. */
export const FLOW_WITHIN_MINUTES = [1, 2, 5, 10, 30, 60] as const;
export const FLOW_VIAS = ["direct", "any"] as const;
export type FlowVia = (typeof FLOW_VIAS)[number];

/**
 * Ways from zone to zone, each within one track: so both zones are of one camera, for nothing is followed from camera to
 * camera. At most 62 days; whole hours. A way counts when it arrives.
 */
export const FlowsQuery = Type.Object(
  {
    ...timeRange,
    cameraId: Id,
    class: classList,
    /** Each class by itself. */
    byClass: Type.Optional(Type.Boolean({ default: false })),
    withinMinutes: Type.Optional(Type.Integer({ enum: [...FLOW_WITHIN_MINUTES] })),
    /** `direct`: no third zone was entered between them. Default `any`. */
    via: Type.Optional(Type.Enum(FLOW_VIAS)),
    after: Type.Optional(PageCursor),
    limit: pageLimit(10_000, 2_000),
  },
  { additionalProperties: false },
);
export type FlowsQuery = Static<typeof FlowsQuery>;

export const ZoneFlowSchema = Type.Object(
  { fromZoneId: Id, toZoneId: Id, objectClass: ClassKey, count: Type.Integer({ minimum: 1 }) },
  { additionalProperties: false },
);
export type ZoneFlowCount = Static<typeof ZoneFlowSchema>;

/** In order of the zones' ids and the class. Zones that were deleted since are left out. */
export const FlowsSchema = Type.Object(
  {
    /** As asked for, widened to whole hours. */
    ...timeRange,
    cameraId: Id,
    flows: Type.Array(ZoneFlowSchema),
    next: NextCursor,
  },
  { additionalProperties: false },
);
export type Flows = Static<typeof FlowsSchema>;
