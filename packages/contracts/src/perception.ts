import { type Static, Type } from "typebox";
import { BoxSchema, EpochMs, Fraction, Id, ObjectClassSchema } from "./common.ts";
import { EVENT_TYPES, type EdgeEventType } from "./events.ts";
import { NextCursor, PageCursor, pageLimit, timeRange, TrackId } from "./paging.ts";

/** The last minutes of one camera, up to now. */
export const RecentQuery = Type.Object(
  {
    minutes: Type.Optional(Type.Integer({ minimum: 1, maximum: 60, default: 5 })),
    after: Type.Optional(PageCursor),
    limit: pageLimit(2_000, 500),
  },
  { additionalProperties: false },
);

/** One object in one frame. */
export const DetectionSchema = Type.Object(
  {
    capturedAtMs: EpochMs,
    trackId: TrackId,
    objectClass: Type.String(),
    score: Fraction,
    box: BoxSchema,
  },
  { additionalProperties: false },
);
export type Detection = Static<typeof DetectionSchema>;

/** Newest first. A frame's objects stand together: a page may be longer than `limit` by those of its last frame. */
export const DetectionPage = Type.Object(
  { ...timeRange, detections: Type.Array(DetectionSchema), next: NextCursor },
  { additionalProperties: false },
);

/** Where in the picture a track went, from its first to its last point: within 45 degrees of that way. */
export const HEADINGS = ["up", "right", "down", "left"] as const;
export const HeadingSchema = Type.Enum(HEADINGS);
export type Heading = Static<typeof HeadingSchema>;

export const CrossingDirectionSchema = Type.Union([
  Type.Literal("left_to_right"),
  Type.Literal("right_to_left"),
]);
export type CrossingDirection = Static<typeof CrossingDirectionSchema>;

/**
 * A search of tracks that were seen within the range, newest first. With `zoneId` it goes over visits of that zone, with
 * `ruleId` over crossings of that counting line, each newest first: a track stands there once a visit or crossing.
 */
export const TrackQuery = Type.Object(
  {
    ...timeRange,
    cameraId: Type.Optional(Type.Array(Id, { minItems: 1, maxItems: 200, uniqueItems: true })),
    class: Type.Optional(Type.Array(ObjectClassSchema, { minItems: 1, maxItems: 10, uniqueItems: true })),
    zoneId: Type.Optional(Id),
    /** Of kind `line_crossing`. */
    ruleId: Type.Optional(Id),
    /** Which way the line was crossed; with `ruleId` only. */
    crossed: Type.Optional(CrossingDirectionSchema),
    heading: Type.Optional(HeadingSchema),
    minDurationMs: Type.Optional(Type.Integer({ minimum: 0, maximum: 86_400_000 })),
    /** With the paths of foot points. */
    path: Type.Optional(Type.Boolean({ default: false })),
    after: Type.Optional(PageCursor),
    limit: pageLimit(500, 100),
  },
  { additionalProperties: false },
);
export type TrackQuery = Static<typeof TrackQuery>;

/** One object over time. */
export const TrackSchema = Type.Object(
  {
    id: TrackId,
    /** null: the camera was deleted since. */
    cameraId: Type.Union([Id, Type.Null()]),
    objectClass: Type.String(),
    firstSeenAtMs: EpochMs,
    lastSeenAtMs: EpochMs,
    observations: Type.Integer({ minimum: 1 }),
    /** Mean score. */
    score: Fraction,
    /** From its first to its last point in the picture: 0 up, 90 right; null: it stayed where it was. */
    headingDeg: Type.Union([Type.Integer({ minimum: 0, maximum: 359 }), Type.Null()]),
    /** The visit that was found; null unless a zone was asked for. */
    visit: Type.Union([
      Type.Object({ enteredAtMs: EpochMs, leftAtMs: EpochMs }, { additionalProperties: false }),
      Type.Null(),
    ]),
    /** The crossing that was found; null unless a line was asked for. */
    crossing: Type.Union([
      Type.Object(
        { crossedAtMs: EpochMs, direction: CrossingDirectionSchema },
        { additionalProperties: false },
      ),
      Type.Null(),
    ]),
    /** Up to 64 foot points [milliseconds since `firstSeenAtMs`, x, y]; null unless asked for. */
    path: Type.Union([
      Type.Array(Type.Array(Type.Number(), { minItems: 3, maxItems: 3 }), { maxItems: 64 }),
      Type.Null(),
    ]),
  },
  { additionalProperties: false },
);
export type Track = Static<typeof TrackSchema>;
export const TrackPage = Type.Object(
  { ...timeRange, tracks: Type.Array(TrackSchema), next: NextCursor },
  { additionalProperties: false },
);

const EVENT_TYPE_NAMES = Object.keys(EVENT_TYPES) as EdgeEventType[];

/** Events of one camera, sensor or agent. */
export const DeviceEventQuery = Type.Object(
  {
    ...timeRange,
    type: Type.Optional(
      Type.Array(Type.Enum(EVENT_TYPE_NAMES), { minItems: 1, maxItems: 11, uniqueItems: true }),
    ),
    after: Type.Optional(PageCursor),
    limit: pageLimit(500, 100),
  },
  { additionalProperties: false },
);

/** An event as the field sent it. Its identity is agent + boot + seq. */
export const DeviceEventSchema = Type.Object(
  {
    agentId: Id,
    boot: Type.String(),
    /** Decimal text. */
    seq: Type.String({ pattern: "^[0-9]{1,19}$" }),
    type: Type.String(),
    subjectId: Id,
    capturedAtMs: EpochMs,
    agentAtMs: EpochMs,
    ingestedAtMs: EpochMs,
    traceparent: Type.Union([Type.String(), Type.Null()]),
    /** null where the event's content has rows of its own (detections, tracks). */
    body: Type.Unknown(),
  },
  { additionalProperties: false },
);
export type DeviceEvent = Static<typeof DeviceEventSchema>;
export const DeviceEventPage = Type.Object(
  { ...timeRange, events: Type.Array(DeviceEventSchema), next: NextCursor },
  { additionalProperties: false },
);
