import { type Static, Type } from "typebox";
import { BoxSchema, EpochMs, Id, PointSchema, PrioritySchema } from "./common.ts";
import { GeoPositionSchema } from "./ground-plane.ts";

/** Life cycle: new -> acknowledged | falseAlarm; acknowledged -> falseAlarm. Later issues add file, shelve, escalate. */
export const ALARM_STATES = ["new", "acknowledged", "falseAlarm"] as const;
export const AlarmStateSchema = Type.Enum(ALARM_STATES);
export type AlarmState = Static<typeof AlarmStateSchema>;

/** Which states each move may start from. */
export const ALARM_MOVES = {
  acknowledge: { from: ["new"], to: "acknowledged" },
  falseAlarm: { from: ["new", "acknowledged"], to: "falseAlarm" },
} as const satisfies Record<string, { from: readonly AlarmState[]; to: AlarmState }>;
export type AlarmMove = keyof typeof ALARM_MOVES;

/** A box of the deciding frame, kept as data and drawn by the viewer: never burnt into the picture. */
export const EvidenceBoxSchema = Type.Object(
  {
    trackId: Type.Union([Type.String(), Type.Null()]),
    objectClass: Type.String(),
    score: Type.Number(),
    box: BoxSchema,
    /** True for the object that decided. */
    deciding: Type.Boolean(),
  },
  { additionalProperties: false },
);

/** What a sensor measured when its alarm was raised last. */
export const AlarmMeasureSchema = Type.Object(
  {
    observedProperty: Type.String(),
    value: Type.Number(),
    limit: Type.Number(),
    /** Of both. */
    unit: Type.String(),
    /** The datastream whose series shows the trend; null when nothing of it was stored yet. */
    datastreamNo: Type.Union([Type.Integer({ minimum: 1 }), Type.Null()]),
  },
  { additionalProperties: false },
);

/** What a rule's sensor condition went by: `value` was above or below `limit`, and not older than the rule allows. */
export const AlarmSensorReadingSchema = Type.Object(
  {
    /** Number of the datastream, as decimal text. */
    datastreamId: Id,
    comparison: Type.Enum(["above", "below"]),
    value: Type.Number(),
    limit: Type.Number(),
    /** When the sensor measured it. */
    atMs: EpochMs,
  },
  { additionalProperties: false },
);
export type AlarmSensorReading = Static<typeof AlarmSensorReadingSchema>;

export const AlarmSchema = Type.Object(
  {
    /** Decimal text of a 64-bit number. */
    id: Type.String({ pattern: "^[0-9]{1,19}$" }),
    /** Its camera; of a sensor's alarm the camera that looks at the sensor, if there is one. */
    cameraId: Type.Union([Id, Type.Null()]),
    cameraName: Type.Union([Type.String(), Type.Null()]),
    /** Its sensor; null for alarms of cameras. */
    sensorId: Type.Union([Id, Type.Null()]),
    sensorName: Type.Union([Type.String(), Type.Null()]),
    measured: Type.Union([AlarmMeasureSchema, Type.Null()]),
    /** When a sensor's value came back; null while it holds, and for alarms of cameras. */
    endedAtMs: Type.Union([EpochMs, Type.Null()]),
    ruleId: Type.Union([Id, Type.Null()]),
    ruleName: Type.Union([Type.String(), Type.Null()]),
    zoneId: Type.Union([Id, Type.Null()]),
    zoneName: Type.Union([Type.String(), Type.Null()]),
    zonePoints: Type.Union([Type.Array(PointSchema), Type.Null()]),
    zoneKind: Type.Union([Type.Literal("polygon"), Type.Literal("line"), Type.Null()]),
    alarmClass: Type.String(),
    objectClass: Type.Union([Type.String(), Type.Null()]),
    priority: PrioritySchema,
    state: AlarmStateSchema,
    /** Capture time of the deciding frame. */
    capturedAtMs: EpochMs,
    /** When the condition began. */
    startedAtMs: EpochMs,
    /** When the row was committed. */
    createdAtMs: EpochMs,
    lastOccurredAtMs: EpochMs,
    occurrences: Type.Integer({ minimum: 1 }),
    boxes: Type.Array(EvidenceBoxSchema),
    /** Of the deciding object's foot point; absent where the camera has no ground plane. */
    position: Type.Optional(GeoPositionSchema),
    /** Of rules with a sensor condition. */
    sensorReading: Type.Optional(AlarmSensorReadingSchema),
    /** Neighbouring cameras that saw the same; their occurrences are counted here. */
    neighbourCameraIds: Type.Optional(Type.Array(Id)),
    hasSnapshot: Type.Boolean(),
    acknowledgedBy: Type.Union([Type.String(), Type.Null()]),
    acknowledgedAtMs: Type.Union([EpochMs, Type.Null()]),
    version: Type.Integer({ minimum: 1 }),
  },
  { additionalProperties: false },
);
export type Alarm = Static<typeof AlarmSchema>;
