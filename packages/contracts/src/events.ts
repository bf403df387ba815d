import { type Static, Type } from "typebox";
import {
  BoxSchema,
  DisplayName,
  EpochMs,
  Fraction,
  Id,
  ObjectClassSchema,
  PrioritySchema,
  StreamProfileSchema,
} from "./common.ts";

/**
 * Events that agents send (version 1 of the contract). An event's identity is agent (from the topic) + boot + seq: the store inserts it
 * once however often it arrives. Three clocks are kept apart: `capturedAtMs` is the device's or the moment of
 * capture, `agentAtMs` the agent's clock when it was recorded, and ingest adds its own on arrival.
 */
export const MAX_BATCH_EVENTS = 500;
export const MAX_EVENT_BATCH_BYTES = 512 * 1024;
/** One event as JSON: the outbox takes no larger one, so that a batch always holds at least one. */
export const MAX_EVENT_BYTES = 64 * 1024;
/** Objects in one frame's detections, and points of one track's path. */
export const MAX_FRAME_OBJECTS = 256;
export const MAX_PATH_POINTS = 64;

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
    /** What the camera is set to, bits a second. */
    bitRate: Type.Optional(Type.Integer({ minimum: 0, maximum: 1_000_000_000 })),
  },
  { additionalProperties: false },
);

/** What else a camera can do than stream (ONVIF services that it names). */
export const CameraCapabilitiesSchema = Type.Array(
  Type.Enum(["imaging", "snapshot", "presets", "motion_events", "analytics_events", "media2"]),
  { uniqueItems: true, maxItems: 16 },
);
export type CameraCapabilities = Static<typeof CameraCapabilitiesSchema>;

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
    /** MAC address, `aa:bb:cc:dd:ee:ff`. */
    hardwareAddress: Type.Optional(SubjectText),
    /** WS-Addressing endpoint, `urn:uuid:...`. */
    endpoint: Type.Optional(SubjectText),
    capabilities: Type.Optional(CameraCapabilitiesSchema),
    streams: Type.Array(CameraStreamSchema, { maxItems: 4 }),
    ptz: Type.Boolean(),
    /** What viewers must know about the picture, e.g. that it is a generated scene and no real camera. */
    note: Type.Optional(SubjectText),
  },
  { additionalProperties: false },
);

/** `degraded`: pictures come, and `faults` says what is wrong with them. */
export const CAMERA_CONDITIONS = [
  "online",
  "offline",
  "no_frames",
  "auth_failed",
  "unreachable",
  "degraded",
] as const;
export const CameraConditionSchema = Type.Enum(CAMERA_CONDITIONS);
export type CameraCondition = Static<typeof CameraConditionSchema>;

/** What can be wrong with a picture or a clock while the camera answers (video quality diagnosis). */
export const CAMERA_FAULTS = [
  "frozen",
  "black",
  "blurred",
  "moved_view",
  "occluded",
  "low_bit_rate",
  "low_frame_rate",
  "clock_drift",
] as const;
export const CameraFaultSchema = Type.Enum(CAMERA_FAULTS);
export type CameraFault = Static<typeof CameraFaultSchema>;

export const CameraHealthEvent = Type.Object(
  {
    ...header,
    type: Type.Literal("camera_health"),
    cameraId: Id,
    condition: CameraConditionSchema,
    /** Stable error code when the condition is a fault. */
    code: Type.Optional(Type.String({ maxLength: 64 })),
    /** What is wrong now, worst first; absent: not known, empty: nothing. */
    faults: Type.Optional(
      Type.Array(
        Type.Object(
          { fault: CameraFaultSchema, sinceMs: EpochMs, value: Type.Optional(Type.Number()) },
          { additionalProperties: false },
        ),
        { maxItems: CAMERA_FAULTS.length },
      ),
    ),
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

/** A sensor's device record: its datastreams (OGC SensorThings) with what is expected of them. */
export const SensorInventoryEvent = Type.Object(
  {
    ...header,
    type: Type.Literal("sensor_inventory"),
    sensorId: Id,
    name: DisplayName,
    manufacturer: Type.Optional(SubjectText),
    model: Type.Optional(SubjectText),
    serial: Type.Optional(SubjectText),
    /** A camera of the same agent that looks at the sensor. */
    watchedBy: Type.Optional(Id),
    datastreams: Type.Array(
      Type.Object(
        {
          observedProperty: Type.String({ pattern: "^[a-z][a-z0-9_]{0,63}$" }),
          unit: Type.String({ maxLength: 32 }),
          /** How often a value is expected: what lies further apart is shown as a gap. */
          expectedIntervalMs: Type.Optional(Type.Integer({ minimum: 1, maximum: 86_400_000 })),
        },
        { additionalProperties: false },
      ),
      { minItems: 1, maxItems: 32 },
    ),
  },
  { additionalProperties: false },
);

export const SENSOR_CONDITIONS = ["online", "offline", "fault"] as const;
export const SensorHealthEvent = Type.Object(
  {
    ...header,
    type: Type.Literal("sensor_health"),
    sensorId: Id,
    condition: Type.Enum(SENSOR_CONDITIONS),
    code: Type.Optional(Type.String({ maxLength: 64 })),
  },
  { additionalProperties: false },
);

/** Objects that the edge saw in one frame (`capturedAtMs` is the frame's). */
export const DetectionBatchEvent = Type.Object(
  {
    ...header,
    type: Type.Literal("detection_batch"),
    cameraId: Id,
    objects: Type.Array(
      Type.Object(
        {
          /** The agent's own number of the track, unique within its boot; absent where nothing tracks. */
          track: Type.Optional(Type.Integer({ minimum: 0, maximum: 4_294_967_295 })),
          objectClass: ObjectClassSchema,
          score: Fraction,
          box: BoxSchema,
        },
        { additionalProperties: false },
      ),
      { minItems: 1, maxItems: MAX_FRAME_OBJECTS },
    ),
  },
  { additionalProperties: false },
);

/** One object over time, told when it has ended (`capturedAtMs` = `lastSeenAtMs`). */
export const TrackSummaryEvent = Type.Object(
  {
    ...header,
    type: Type.Literal("track_summary"),
    cameraId: Id,
    /** The number that its detections carried. */
    track: Type.Integer({ minimum: 0, maximum: 4_294_967_295 }),
    objectClass: ObjectClassSchema,
    firstSeenAtMs: EpochMs,
    lastSeenAtMs: EpochMs,
    observations: Type.Integer({ minimum: 1, maximum: 2_147_483_647 }),
    /** Mean score. */
    score: Fraction,
    /** Milliseconds since `firstSeenAtMs`, then the foot point. */
    path: Type.Array(
      Type.Object(
        { atMs: Type.Integer({ minimum: 0, maximum: 2_147_483_647 }), x: Fraction, y: Fraction },
        { additionalProperties: false },
      ),
      { minItems: 1, maxItems: MAX_PATH_POINTS },
    ),
  },
  { additionalProperties: false },
);

/** What a camera's own analytics or electronics report (ONVIF Core, Pull-Point), other than motion. */
export const CameraSideEvent = Type.Object(
  {
    ...header,
    type: Type.Literal("camera_event"),
    cameraId: Id,
    /** ONVIF topic without prefixes, e.g. `RuleEngine/LineDetector/Crossed`. */
    topic: Type.String({ pattern: "^[A-Za-z][A-Za-z0-9_/.-]{0,199}$" }),
    active: Type.Optional(Type.Boolean()),
    data: Type.Optional(
      Type.Record(Type.String({ pattern: "^[A-Za-z0-9_.-]{1,64}$" }), Type.String({ maxLength: 500 }), {
        maxProperties: 32,
      }),
    ),
  },
  { additionalProperties: false },
);

/**
 * What an agent's outbox had to give up: it was full, its disk was, or a file was damaged. It follows the events
 * that are missing, so that a hole in the record says what it is.
 */
export const OutboxGapEvent = Type.Object(
  {
    ...header,
    type: Type.Literal("outbox_gap"),
    reason: Type.Union([Type.Literal("full"), Type.Literal("disk_full"), Type.Literal("damaged")]),
    /** How many events of each type are missing. */
    lost: Type.Record(Type.String({ pattern: "^[a-z_]{1,32}$" }), Type.Integer({ minimum: 1 }), {
      minProperties: 1,
      maxProperties: 32,
    }),
    /** Capture times of the first and the last of them. */
    fromMs: EpochMs,
    toMs: EpochMs,
  },
  { additionalProperties: false },
);

/** A device on the site's network that nobody has adopted: it is watched from afar and never signed in to. */
export const DeviceFoundEvent = Type.Object(
  {
    ...header,
    type: Type.Literal("device_found"),
    /** Stays with the device when its address changes, as far as it tells: endpoint, else address. */
    deviceKey: Type.String({ minLength: 1, maxLength: 200 }),
    how: Type.Union([Type.Literal("ws_discovery"), Type.Literal("subnet_probe"), Type.Literal("typed")]),
    /** Host and port. */
    address: SubjectText,
    /** ONVIF device service on the host that answered; absent for RTSP alone. */
    onvifUrl: Type.Optional(Type.String({ maxLength: 512 })),
    /** RTSP port that answered. */
    rtspPort: Type.Optional(Type.Integer({ minimum: 1, maximum: 65535 })),
    name: Type.Optional(SubjectText),
    hardware: Type.Optional(SubjectText),
    /** True when it has gone or was adopted: it is no longer in quarantine. */
    gone: Type.Optional(Type.Boolean()),
  },
  { additionalProperties: false },
);

/**
 * Pictures that somebody wanted and did not get: of the centre's live stream (`live`), or of the agent's own recording
 * (`recording`). What lies in the recording can be fetched later (`clip` command).
 */
export const MediaGapEvent = Type.Object(
  {
    ...header,
    type: Type.Literal("media_gap"),
    cameraId: Id,
    profile: StreamProfileSchema,
    of: Type.Union([Type.Literal("live"), Type.Literal("recording")]),
    fromMs: EpochMs,
    toMs: EpochMs,
    reason: Type.Union([
      Type.Literal("uplink"),
      Type.Literal("camera"),
      Type.Literal("agent_down"),
      Type.Literal("disk"),
      Type.Literal("damaged"),
    ]),
  },
  { additionalProperties: false },
);

/** What a stream really is, counted from its bits; told when it changes, and hourly. */
export const CameraMeasureEvent = Type.Object(
  {
    ...header,
    type: Type.Literal("camera_measure"),
    cameraId: Id,
    profile: StreamProfileSchema,
    codec: Type.Union([Type.Literal("h264"), Type.Literal("h265")]),
    width: Type.Integer({ minimum: 0, maximum: 32768 }),
    height: Type.Integer({ minimum: 0, maximum: 32768 }),
    /** Pictures a second over the last window. */
    fps: Type.Number({ minimum: 0, maximum: 1000 }),
    /** Bits a second over the last window. */
    bitRate: Type.Integer({ minimum: 0, maximum: 10_000_000_000 }),
    /** Milliseconds between keyframes. */
    gopMs: Type.Optional(Type.Integer({ minimum: 0, maximum: 3_600_000 })),
  },
  { additionalProperties: false },
);

/** A value crossed its threshold, or came back: decided at the edge, so that it needs no uplink to be recorded. */
export const SensorAlarmEvent = Type.Object(
  {
    ...header,
    type: Type.Literal("sensor_alarm"),
    sensorId: Id,
    /** Id of the threshold in the agent's configuration. */
    thresholdId: Id,
    observedProperty: Type.String({ pattern: "^[a-z][a-z0-9_]{0,63}$" }),
    alarmClass: Type.String({ pattern: "^[a-z][a-z0-9_]{0,63}$" }),
    priority: PrioritySchema,
    active: Type.Boolean(),
    value: Type.Number(),
    limit: Type.Number(),
    unit: Type.String({ maxLength: 32 }),
  },
  { additionalProperties: false },
);

const EVENT_SCHEMAS = [
  CameraInventoryEvent,
  CameraHealthEvent,
  CameraMotionEvent,
  CameraSideEvent,
  AlarmTriggerEvent,
  ObservationEvent,
  SensorInventoryEvent,
  SensorHealthEvent,
  DetectionBatchEvent,
  TrackSummaryEvent,
  OutboxGapEvent,
  DeviceFoundEvent,
  MediaGapEvent,
  CameraMeasureEvent,
  SensorAlarmEvent,
] as const;
export const EventSchema = Type.Union([...EVENT_SCHEMAS]);
export type EdgeEvent = Static<(typeof EVENT_SCHEMAS)[number]>;
export type EdgeEventType = EdgeEvent["type"];

/** Stable codes of event types in narrow database rows. */
export const EVENT_TYPES = {
  camera_inventory: 1,
  camera_health: 2,
  camera_motion: 3,
  camera_event: 4,
  alarm_trigger: 5,
  observation: 6,
  sensor_inventory: 7,
  sensor_health: 8,
  detection_batch: 9,
  track_summary: 10,
  outbox_gap: 11,
  device_found: 12,
  media_gap: 13,
  camera_measure: 14,
  sensor_alarm: 15,
} as const satisfies Record<EdgeEventType, number>;

/** The schema of each event type: one a type, so that an error names the field and not "no branch of the union". */
export const EVENT_SCHEMA_OF: ReadonlyMap<string, (typeof EVENT_SCHEMAS)[number]> = new Map(
  EVENT_SCHEMAS.map((schema) => [schema.properties.type.const, schema]),
);

/** What an outbox gives up first when it is full: 0 before 1 before 2; 3 last of all. */
export type EventSeverity = 0 | 1 | 2 | 3;
const SEVERITY_OF: Readonly<Record<EdgeEventType, EventSeverity>> = {
  detection_batch: 0,
  camera_motion: 1,
  observation: 1,
  track_summary: 1,
  camera_event: 2,
  camera_inventory: 2,
  camera_health: 2,
  sensor_inventory: 2,
  sensor_health: 2,
  alarm_trigger: 3,
  outbox_gap: 3,
  device_found: 2,
  media_gap: 2,
  camera_measure: 1,
  sensor_alarm: 3,
};

export function severityOf(type: EdgeEventType): EventSeverity {
  return SEVERITY_OF[type];
}

/** Envelope of a batch; the events inside are validated one by one, so that one bad event stops no other. */
export const EventBatchEnvelope = Type.Object(
  {
    v: Type.Literal(1),
    /** Random per start of the agent's outbox. */
    boot: Type.String({ pattern: "^[0-9a-f]{16}$" }),
    /** Set by an agent that wants an application-level acknowledgement of this batch (`EventAck`). */
    batch: Type.Optional(Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER })),
    events: Type.Array(Type.Unknown(), { minItems: 1, maxItems: MAX_BATCH_EVENTS }),
  },
  { additionalProperties: false },
);
export interface EventBatch {
  v: 1;
  boot: string;
  batch?: number;
  events: EdgeEvent[];
}

/**
 * The centre has committed the batch. Sent where a broker stands between (its PUBACK says nothing about the
 * database); the in-process endpoint's PUBACK says the same without it.
 */
export const EventAckSchema = Type.Object(
  {
    v: Type.Literal(1),
    boot: Type.String({ pattern: "^[0-9a-f]{16}$" }),
    batch: Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER }),
  },
  { additionalProperties: false },
);
export type EventAck = Static<typeof EventAckSchema>;

export const ConfigStateSchema = Type.Object(
  {
    revision: Type.Integer({ minimum: 1 }),
    state: Type.Union([Type.Literal("applied"), Type.Literal("refused")]),
    /** Why it was refused, and which field. */
    code: Type.Optional(Type.String({ maxLength: 64 })),
    message: Type.Optional(Type.String({ maxLength: 500 })),
  },
  { additionalProperties: false },
);
export type ConfigState = Static<typeof ConfigStateSchema>;

/** How much the agent's ring buffer holds against what the policy asks for. */
export const RecordingStateSchema = Type.Object(
  {
    bytes: Type.Integer({ minimum: 0 }),
    maxBytes: Type.Integer({ minimum: 0 }),
    oldestMs: Type.Optional(EpochMs),
    /** How long the disk will hold at the present rate. */
    expectedMs: Type.Optional(Type.Integer({ minimum: 0 })),
    /** By how much that falls short of the policy's minimum; 0 when it does not. */
    shortfallMs: Type.Optional(Type.Integer({ minimum: 0 })),
  },
  { additionalProperties: false },
);
export type RecordingState = Static<typeof RecordingStateSchema>;

/** Retained status of an agent; its Will says `online: false`. */
export const AgentStatusSchema = Type.Object(
  {
    v: Type.Literal(1),
    online: Type.Boolean(),
    atMs: EpochMs,
    version: Type.Optional(Type.String({ maxLength: 40 })),
    outboxDepth: Type.Optional(Type.Integer({ minimum: 0 })),
    outboxOldestMs: Type.Optional(EpochMs),
    outboxBytes: Type.Optional(Type.Integer({ minimum: 0 })),
    /** Events given up since the agent started. */
    outboxLost: Type.Optional(Type.Integer({ minimum: 0 })),
    mediaDropped: Type.Optional(Type.Integer({ minimum: 0 })),
    /** The last AgentConfig that came: applied or refused as a whole. */
    config: Type.Optional(ConfigStateSchema),
    recording: Type.Optional(RecordingStateSchema),
  },
  { additionalProperties: false },
);
export type AgentStatus = Static<typeof AgentStatusSchema>;
