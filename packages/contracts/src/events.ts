import { type Static, Type } from "typebox";
import { BoxSchema, DisplayName, EpochMs, Id, PrioritySchema } from "./common.ts";

/**
 * Events that agents send. An event's identity is agent (from the topic) + boot + seq: the store inserts it
 * once however often it arrives. Three clocks are kept apart: `capturedAtMs` is the device's or the moment of
 * capture, `agentAtMs` the agent's clock when it was recorded, and ingest adds its own on arrival.
 */
export const MAX_BATCH_EVENTS = 500;
export const MAX_EVENT_BATCH_BYTES = 512 * 1024;

const header = {
  /** Rises by one an event within a boot. */
  seq: Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER }),
  capturedAtMs: EpochMs,
  agentAtMs: EpochMs,
  /** W3C Trace Context `traceparent`. */
  traceparent: Type.Optional(Type.String({ pattern: "^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$" })),
};

const SubjectText = Type.String({ maxLength: 200 });

export const CameraStreamSchema = Type.Object(
  {
    profile: Type.Union([Type.Literal("main"), Type.Literal("sub")]),
    codec: Type.Union([Type.Literal("h264"), Type.Literal("h265"), Type.Literal("unknown")]),
    width: Type.Integer({ minimum: 0, maximum: 32768 }),
    height: Type.Integer({ minimum: 0, maximum: 32768 }),
    fps: Type.Optional(Type.Number({ minimum: 0, maximum: 1000 })),
  },
  { additionalProperties: false },
);

/** The device record of a camera as its agent knows it; never a credential, never a URL with one. */
export const CameraInventoryEvent = Type.Object(
  {
    ...header,
    type: Type.Literal("camera_inventory"),
    cameraId: Id,
    name: DisplayName,
    manufacturer: Type.Optional(SubjectText),
    model: Type.Optional(SubjectText),
    firmware: Type.Optional(SubjectText),
    serial: Type.Optional(SubjectText),
    /** Host and port only. */
    address: Type.Optional(SubjectText),
    streams: Type.Array(CameraStreamSchema, { maxItems: 4 }),
    ptz: Type.Boolean(),
    /** What viewers must know about the picture, e.g. that it is a generated scene and no real camera. */
    note: Type.Optional(SubjectText),
  },
  { additionalProperties: false },
);

export const CAMERA_CONDITIONS = ["online", "offline", "no_frames", "auth_failed", "unreachable"] as const;
export const CameraConditionSchema = Type.Enum(CAMERA_CONDITIONS);
export type CameraCondition = Static<typeof CameraConditionSchema>;

export const CameraHealthEvent = Type.Object(
  {
    ...header,
    type: Type.Literal("camera_health"),
    cameraId: Id,
    condition: CameraConditionSchema,
    /** Stable error code when the condition is a fault. */
    code: Type.Optional(Type.String({ maxLength: 64 })),
    /** Device clock minus agent clock, milliseconds. */
    clockOffsetMs: Type.Optional(Type.Integer({ minimum: -1e13, maximum: 1e13 })),
  },
  { additionalProperties: false },
);

/** Motion as the camera itself reports it (ONVIF Core, Pull-Point). */
export const CameraMotionEvent = Type.Object(
  { ...header, type: Type.Literal("camera_motion"), cameraId: Id, active: Type.Boolean() },
  { additionalProperties: false },
);

/** An alarm that something in the field decided: a camera's own analytics, a sensor at the edge. */
export const AlarmTriggerEvent = Type.Object(
  {
    ...header,
    type: Type.Literal("alarm_trigger"),
    cameraId: Id,
    /** Alarm class slug, e.g. `intrusion` (domain.md's table; cities add their own). */
    alarmClass: Type.String({ pattern: "^[a-z][a-z0-9_]{0,63}$" }),
    priority: PrioritySchema,
    objectClass: Type.Optional(Type.String({ pattern: "^[a-z][a-z0-9_]{0,63}$" })),
    box: Type.Optional(BoxSchema),
    score: Type.Optional(Type.Number({ minimum: 0, maximum: 1 })),
  },
  { additionalProperties: false },
);

/** A sensor's value (OGC SensorThings: Observation of an ObservedProperty). */
export const ObservationEvent = Type.Object(
  {
    ...header,
    type: Type.Literal("observation"),
    sensorId: Id,
    observedProperty: Type.String({ pattern: "^[a-z][a-z0-9_]{0,63}$" }),
    value: Type.Number(),
    unit: Type.String({ maxLength: 32 }),
  },
  { additionalProperties: false },
);

export const EventSchema = Type.Union([
  CameraInventoryEvent,
  CameraHealthEvent,
  CameraMotionEvent,
  AlarmTriggerEvent,
  ObservationEvent,
]);
export type EdgeEvent = Static<typeof EventSchema>;
export type EdgeEventType = EdgeEvent["type"];

/** Envelope of a batch; the events inside are validated one by one, so that one bad event stops no other. */
export const EventBatchEnvelope = Type.Object(
  {
    v: Type.Literal(1),
    /** Random per start of the agent's outbox. */
    boot: Type.String({ pattern: "^[0-9a-f]{16}$" }),
    events: Type.Array(Type.Unknown(), { minItems: 1, maxItems: MAX_BATCH_EVENTS }),
  },
  { additionalProperties: false },
);
export interface EventBatch {
  v: 1;
  boot: string;
  events: EdgeEvent[];
}

/** Retained status of an agent; its Will says `online: false`. */
export const AgentStatusSchema = Type.Object(
  {
    v: Type.Literal(1),
    online: Type.Boolean(),
    atMs: EpochMs,
    version: Type.Optional(Type.String({ maxLength: 40 })),
    outboxDepth: Type.Optional(Type.Integer({ minimum: 0 })),
    outboxOldestMs: Type.Optional(EpochMs),
    mediaDropped: Type.Optional(Type.Integer({ minimum: 0 })),
  },
  { additionalProperties: false },
);
export type AgentStatus = Static<typeof AgentStatusSchema>;
