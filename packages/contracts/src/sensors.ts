import { type Static, Type } from "typebox";
import { CameraFaultsSchema, MeasuredStreamSchema } from "./camera.ts";
import { DisplayName, EpochMs, Id } from "./common.ts";
import { CameraConditionSchema, SENSOR_CONDITIONS } from "./events.ts";
import { pageLimit, timeRange } from "./paging.ts";

/** Keyset paging over ids. */
export const StateQuery = Type.Object(
  { after: Type.Optional(Id), limit: pageLimit(500, 100) },
  { additionalProperties: false },
);

const state = {
  id: Id,
  agentId: Id,
  name: DisplayName,
  areaId: Type.Union([Id, Type.Null()]),
  conditionCode: Type.Union([Type.String(), Type.Null()]),
  conditionSinceMs: Type.Union([EpochMs, Type.Null()]),
  agentOnline: Type.Boolean(),
  /** True when the condition is only the last one known: the agent is away. */
  stale: Type.Boolean(),
};

/** What is last known of a camera. */
export const CameraStateSchema = Type.Object(
  {
    ...state,
    condition: CameraConditionSchema,
    faults: CameraFaultsSchema,
    measured: Type.Array(MeasuredStreamSchema),
  },
  { additionalProperties: false },
);
export type CameraState = Static<typeof CameraStateSchema>;
export const CameraStatePage = Type.Object(
  { atMs: EpochMs, cameras: Type.Array(CameraStateSchema), next: Type.Union([Id, Type.Null()]) },
  { additionalProperties: false },
);

/** OGC SensorThings: one property that one sensor observes in one unit, and its last value. */
export const DatastreamStateSchema = Type.Object(
  {
    no: Type.Integer({ minimum: 1 }),
    observedProperty: Type.String(),
    unit: Type.String(),
    expectedIntervalMs: Type.Union([Type.Integer(), Type.Null()]),
    lastValue: Type.Union([Type.Number(), Type.Null()]),
    lastAtMs: Type.Union([EpochMs, Type.Null()]),
    /** How old the last value is; null when there is none. */
    ageMs: Type.Union([Type.Integer({ minimum: 0 }), Type.Null()]),
    /** Older than three expected intervals (15 minutes when none is known), or none: not to be shown as live. */
    stale: Type.Boolean(),
  },
  { additionalProperties: false },
);
export type DatastreamState = Static<typeof DatastreamStateSchema>;

/** What is last known of a sensor. */
export const SensorStateSchema = Type.Object(
  {
    ...state,
    condition: Type.Enum(SENSOR_CONDITIONS),
    manufacturer: Type.Union([Type.String(), Type.Null()]),
    model: Type.Union([Type.String(), Type.Null()]),
    serial: Type.Union([Type.String(), Type.Null()]),
    /** A camera that looks at it, as its agent says. */
    cameraId: Type.Union([Id, Type.Null()]),
    version: Type.Integer({ minimum: 1 }),
    datastreams: Type.Array(DatastreamStateSchema),
  },
  { additionalProperties: false },
);
export type SensorState = Static<typeof SensorStateSchema>;
export const SensorStatePage = Type.Object(
  { atMs: EpochMs, sensors: Type.Array(SensorStateSchema), next: Type.Union([Id, Type.Null()]) },
  { additionalProperties: false },
);

/** At most 400 days. `points`: how many to give at most; the server rolls up until they fit. */
export const SeriesQuery = Type.Object(
  { ...timeRange, points: Type.Optional(Type.Integer({ minimum: 1, maximum: 2_000, default: 500 })) },
  { additionalProperties: false },
);

export const SeriesPointSchema = Type.Object(
  {
    /** Of the value, or when the bucket begins. */
    atMs: EpochMs,
    mean: Type.Number(),
    min: Type.Number(),
    max: Type.Number(),
    n: Type.Integer({ minimum: 1 }),
  },
  { additionalProperties: false },
);
export type SeriesPoint = Static<typeof SeriesPointSchema>;

/** A stretch without values, longer than three intervals. */
export const SeriesGapSchema = Type.Object(
  {
    ...timeRange,
    /** `lost_at_edge`: an agent's outbox had to give values of this time up; `no_data`: none came. */
    reason: Type.Union([Type.Literal("no_data"), Type.Literal("lost_at_edge")]),
  },
  { additionalProperties: false },
);
export type SeriesGap = Static<typeof SeriesGapSchema>;

export const SeriesSchema = Type.Object(
  {
    ...timeRange,
    sensorId: Id,
    no: Type.Integer(),
    observedProperty: Type.String(),
    unit: Type.String(),
    /** Length of a point's bucket; 0: the values themselves (n = 1). */
    bucketMs: Type.Integer({ minimum: 0 }),
    points: Type.Array(SeriesPointSchema, { maxItems: 2_001 }),
    gaps: Type.Array(SeriesGapSchema, { maxItems: 2_002 }),
  },
  { additionalProperties: false },
);
export type Series = Static<typeof SeriesSchema>;
