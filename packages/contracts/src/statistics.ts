import { type Static, Type } from "typebox";
import { EpochMs, Id, ObjectClassSchema, PointSchema } from "./common.ts";
import { NextCursor, PageCursor, pageLimit, timeRange } from "./paging.ts";

/** What is counted: objects in frames, objects over time, their visits to zones, their crossings of counting lines. */
export const COUNTED = ["detections", "tracks", "visits", "crossings"] as const;
export type Counted = (typeof COUNTED)[number];
export const GRANULARITIES = ["minute", "hour", "day"] as const;
export type Granularity = (typeof GRANULARITIES)[number];
export const COUNT_GROUPS = [
  "none",
  "camera",
  "class",
  "zone",
  "area",
  "line",
  "zone_class",
  "line_class",
] as const;
export type CountGroup = (typeof COUNT_GROUPS)[number];
/** Points of one page at most. */
export const MAX_COUNT_POINTS = 20_000;

export const idList = (maxItems: number) =>
  Type.Optional(Type.Array(Id, { minItems: 1, maxItems, uniqueItems: true }));
export const classList = Type.Optional(
  Type.Array(ObjectClassSchema, { minItems: 1, maxItems: 10, uniqueItems: true }),
);

/**
 * Counts by bucket and key. An area includes the areas below it. `zone` groups visits alone, `line` crossings alone;
 * `zone_class` and `line_class` tell each one's classes apart.
 * `groupBy=area` needs no `areaId`: it then takes the areas that lie in no other. Longest range: 2 days by the minute, 62
 * by the hour, 400 by the day.
 */
export const CountsQuery = Type.Object(
  {
    ...timeRange,
    what: Type.Enum(COUNTED),
    by: Type.Enum(GRANULARITIES),
    groupBy: Type.Optional(Type.Enum(COUNT_GROUPS)),
    cameraId: idList(200),
    areaId: idList(50),
    /** Visits only. */
    zoneId: idList(100),
    /** Counting lines (rules of kind `line_crossing`); crossings only. */
    ruleId: idList(100),
    class: classList,
    /** IANA time zone of the days, with an offset of whole hours. Default UTC. */
    timeZone: Type.Optional(Type.String({ minLength: 1, maxLength: 64 })),
    after: Type.Optional(PageCursor),
    limit: pageLimit(MAX_COUNT_POINTS, 5_000),
  },
  { additionalProperties: false },
);
export type CountsQuery = Static<typeof CountsQuery>;

export const CountPointSchema = Type.Object(
  {
    /** When the bucket begins. */
    atMs: EpochMs,
    /** Id of the camera, zone, area or line, or the object class; null without grouping, or of what was deleted since. */
    key: Type.Union([Type.String(), Type.Null()]),
    /** Of `zone_class` and `line_class` only. */
    objectClass: Type.Optional(Type.String()),
    count: Type.Integer({ minimum: 0 }),
    /** Crossings only. */
    leftToRight: Type.Optional(Type.Integer({ minimum: 0 })),
    /** Visits only: how long they lasted in the mean. */
    dwellMs: Type.Optional(Type.Number({ minimum: 0 })),
  },
  { additionalProperties: false },
);
export type CountPoint = Static<typeof CountPointSchema>;

/**
 * Points in order of bucket and key. A bucket that is absent has no rows: nothing was seen, or nobody looked; the sums
 * cannot tell which (the cameras' health events can).
 */
export const CountsSchema = Type.Object(
  {
    /** The range that was counted: as asked for, widened to whole buckets. */
    ...timeRange,
    points: Type.Array(CountPointSchema, { maxItems: MAX_COUNT_POINTS }),
    next: NextCursor,
  },
  { additionalProperties: false },
);
export type Counts = Static<typeof CountsSchema>;

/** Cells over a camera's picture, counted from its top left corner, row by row. */
export const HEAT_COLUMNS = 32;
export const HEAT_ROWS = 18;

/** At most 31 days; whole hours. */
export const HeatMapQuery = Type.Object(
  {
    ...timeRange,
    class: classList,
    /** Each class's cells by themselves. */
    byClass: Type.Optional(Type.Boolean({ default: false })),
  },
  { additionalProperties: false },
);
export type HeatMapQuery = Static<typeof HeatMapQuery>;
export const HeatMapSchema = Type.Object(
  {
    /** As asked for, widened to whole hours. */
    ...timeRange,
    cameraId: Id,
    zoneId: Type.Union([Id, Type.Null()]),
    /** The zone's polygon as it is now. */
    zonePoints: Type.Union([Type.Array(PointSchema), Type.Null()]),
    columns: Type.Integer(),
    rows: Type.Integer(),
    /** Cells in which the foot point of a detection lay (of those whose centre lies in the zone); others have none. */
    cells: Type.Array(
      Type.Object(
        {
          column: Type.Integer({ minimum: 0, maximum: HEAT_COLUMNS - 1 }),
          row: Type.Integer({ minimum: 0, maximum: HEAT_ROWS - 1 }),
          detections: Type.Integer({ minimum: 1 }),
          /** With `byClass` only. */
          objectClass: Type.Optional(Type.String()),
        },
        { additionalProperties: false },
      ),
      { maxItems: HEAT_COLUMNS * HEAT_ROWS * 16 },
    ),
  },
  { additionalProperties: false },
);
export type HeatMap = Static<typeof HeatMapSchema>;
