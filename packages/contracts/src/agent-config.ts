import { type Static, Type } from "typebox";
import { DisplayName, EpochMs, Id, PrioritySchema, StreamProfileSchema } from "./common.ts";

/** An IPv4 or IPv6 network, `10.4.0.0/16`; checked fully at the agent. */
export const NetworkSchema = Type.String({ pattern: "^[0-9a-fA-F:.]{2,45}/[0-9]{1,3}$" });
const Url = Type.String({ minLength: 1, maxLength: 2048 });
const Slug = Type.String({ pattern: "^[a-z][a-z0-9_]{0,63}$" });
export const MAX_AGENT_CONFIG_BYTES = 512 * 1024;

/** A camera that the agent looks after. Its account comes apart, sealed (`credential` command), and never back. */
export const AgentCameraSchema = Type.Object(
  {
    id: Id,
    name: Type.Optional(DisplayName),
    /** ONVIF device service; exactly one of `onvif`, `rtsp`, `device`. */
    onvif: Type.Optional(Url),
    rtsp: Type.Optional(Type.Object({ main: Url, sub: Type.Optional(Url) }, { additionalProperties: false })),
    /** Key of a device that the agent found (`device_found`): followed to whatever address it has. */
    device: Type.Optional(Type.String({ minLength: 1, maxLength: 200 })),
    /** Streams that are kept in the agent's ring buffer. Default none. */
    record: Type.Optional(Type.Array(StreamProfileSchema, { uniqueItems: true, maxItems: 2 })),
    /** Whether picture faults are looked for; default true. */
    watchPicture: Type.Optional(Type.Boolean()),
  },
  { additionalProperties: false },
);
export type AgentCamera = Static<typeof AgentCameraSchema>;

/** How the agent's own disk is used for video. */
export const RecordingPolicySchema = Type.Object(
  {
    maxBytes: Type.Integer({ minimum: 64 * 1024 * 1024 }),
    /** What the law or the owner asks for: the agent says by how much the disk falls short of it. */
    minAgeMs: Type.Optional(Type.Integer({ minimum: 0 })),
    /** Deleted when older. */
    maxAgeMs: Type.Optional(Type.Integer({ minimum: 60_000 })),
  },
  { additionalProperties: false },
);
export type RecordingPolicy = Static<typeof RecordingPolicySchema>;

/** A limit of one datastream, decided at the edge. Hysteresis: it ends at `clearAt`. */
export const SensorThresholdSchema = Type.Object(
  {
    id: Id,
    observedProperty: Slug,
    /** `above`: raised at or over `limit`; `below`: at or under it. */
    when: Type.Union([Type.Literal("above"), Type.Literal("below")]),
    limit: Type.Number(),
    /** Default: the limit. */
    clearAt: Type.Optional(Type.Number()),
    /** How long it must hold before it is raised, and before it is cleared; default at once. */
    holdMs: Type.Optional(Type.Integer({ minimum: 0, maximum: 86_400_000 })),
    alarmClass: Slug,
    priority: PrioritySchema,
  },
  { additionalProperties: false },
);
export type SensorThreshold = Static<typeof SensorThresholdSchema>;

/** How one number in a sensor's message becomes an observed property. */
export const DatastreamMappingSchema = Type.Object(
  {
    observedProperty: Slug,
    /** Unit that is stored (UCUM where there is one). */
    unit: Type.String({ minLength: 1, maxLength: 32 }),
    /** Unit that the sensor gives; converted. Default: the same. */
    sourceUnit: Type.Optional(Type.String({ minLength: 1, maxLength: 32 })),
    /** JSON Pointer (RFC 6901) to the number or boolean; for Modbus: absent. */
    pointer: Type.Optional(Type.String({ maxLength: 200 })),
    /** Modbus register; absent for JSON. */
    register: Type.Optional(
      Type.Object(
        {
          table: Type.Enum(["coil", "discrete_input", "holding_register", "input_register"]),
          address: Type.Integer({ minimum: 0, maximum: 65535 }),
          type: Type.Enum(["bit", "int16", "uint16", "int32", "uint32", "float32", "float64"]),
          /** Order of the 16-bit words; default big (high word first). */
          wordOrder: Type.Optional(Type.Enum(["big", "little"])),
        },
        { additionalProperties: false },
      ),
    ),
    /** value = raw * scale + offset, before the unit is converted. */
    scale: Type.Optional(Type.Number()),
    offset: Type.Optional(Type.Number()),
    /** Values outside are a sensor fault and never stored as observations. */
    min: Type.Optional(Type.Number()),
    max: Type.Optional(Type.Number()),
    expectedIntervalMs: Type.Optional(Type.Integer({ minimum: 100, maximum: 86_400_000 })),
    /** Smaller changes are not reported before `expectedIntervalMs` has passed. */
    deadband: Type.Optional(Type.Number({ minimum: 0 })),
  },
  { additionalProperties: false },
);
export type DatastreamMapping = Static<typeof DatastreamMappingSchema>;

export const AgentSensorSchema = Type.Object(
  {
    id: Id,
    name: DisplayName,
    manufacturer: Type.Optional(Type.String({ maxLength: 200 })),
    model: Type.Optional(Type.String({ maxLength: 200 })),
    serial: Type.Optional(Type.String({ maxLength: 200 })),
    source: Type.Union([
      /** A topic at the agent's local MQTT listener; `+` stands for one level. */
      Type.Object(
        { kind: Type.Literal("mqtt"), topic: Type.String({ minLength: 1, maxLength: 200 }) },
        { additionalProperties: false },
      ),
      /** POST /sensors/{id} at the agent's local listener. */
      Type.Object({ kind: Type.Literal("http") }, { additionalProperties: false }),
      Type.Object(
        {
          kind: Type.Literal("modbus_tcp"),
          host: Type.String({ minLength: 1, maxLength: 253 }),
          port: Type.Optional(Type.Integer({ minimum: 1, maximum: 65535 })),
          unitId: Type.Optional(Type.Integer({ minimum: 0, maximum: 255 })),
          pollMs: Type.Optional(Type.Integer({ minimum: 100, maximum: 86_400_000 })),
        },
        { additionalProperties: false },
      ),
    ]),
    /** JSON Pointer to the time of observation: milliseconds, seconds or ISO 8601. Default: when it came. */
    timePointer: Type.Optional(Type.String({ maxLength: 200 })),
    datastreams: Type.Array(DatastreamMappingSchema, { minItems: 1, maxItems: 32 }),
    thresholds: Type.Optional(Type.Array(SensorThresholdSchema, { maxItems: 32 })),
    /** A camera that looks at the sensor: alarms of the sensor name it. */
    cameraId: Type.Optional(Id),
  },
  { additionalProperties: false },
);
export type AgentSensor = Static<typeof AgentSensorSchema>;

/** What the centre tells an agent to be: retained, versioned, applied or refused as a whole. Holds no secret. */
export const AgentConfigSchema = Type.Object(
  {
    v: Type.Literal(1),
    revision: Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER }),
    issuedAtMs: EpochMs,
    site: Type.Object(
      {
        name: Type.Optional(DisplayName),
        /** The site's own networks: no device outside them is spoken to. Default: private and link-local ones. */
        networks: Type.Optional(Type.Array(NetworkSchema, { maxItems: 64 })),
        /** Ceiling of media and uploads together, bits a second; shared fairly below it. */
        uplinkBitsPerSecond: Type.Optional(Type.Integer({ minimum: 64_000, maximum: 100_000_000_000 })),
      },
      { additionalProperties: false },
    ),
    recording: Type.Optional(RecordingPolicySchema),
    cameras: Type.Array(AgentCameraSchema, { maxItems: 500 }),
    sensors: Type.Array(AgentSensorSchema, { maxItems: 2_000 }),
  },
  { additionalProperties: false },
);
export type AgentConfig = Static<typeof AgentConfigSchema>;
