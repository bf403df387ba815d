import { type Static, Type } from "typebox";
import { NetworkSchema } from "./agent-config.ts";
import { AgentConfigSchema } from "./agent-config.ts";
import { AlarmSchema, AlarmStateSchema } from "./alarm.ts";
import { CameraSchema } from "./camera.ts";
import { DisplayName, EpochMs, Id, PointSchema, PrioritySchema } from "./common.ts";
import { ImagingSchema } from "./commands.ts";
import { AgentStatusSchema, ConfigStateSchema } from "./events.ts";
import { RuleSchema, ruleSettings, ZoneKindSchema, ZoneSchema } from "./rules.ts";

/** Every error response has this body. `code` is stable and stands in docs/errors.md. */
export const ErrorBodySchema = Type.Object(
  {
    code: Type.String(),
    message: Type.String(),
    details: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
  },
  { $id: "ErrorBody", additionalProperties: false },
);
export type ErrorBody = Static<typeof ErrorBodySchema>;

export const UserName = Type.String({ minLength: 3, maxLength: 64, pattern: "^[\\p{L}\\p{N}._-]+$" });
/** NIST SP 800-63B §5.1.1.2: length matters, composition rules do not. */
export const Password = Type.String({ minLength: 10, maxLength: 256 });

/** Creates the first administrator with the one-time token that the start printed. */
export const SetupRequest = Type.Object(
  { token: Type.String({ minLength: 20, maxLength: 128 }), userName: UserName, password: Password },
  { additionalProperties: false },
);
export const SignInRequest = Type.Object(
  {
    userName: Type.String({ minLength: 1, maxLength: 64 }),
    password: Type.String({ minLength: 1, maxLength: 256 }),
  },
  { additionalProperties: false },
);
export const SessionSchema = Type.Object(
  {
    userId: Type.String(),
    userName: Type.String(),
    role: Type.Union([Type.Literal("administrator"), Type.Literal("operator")]),
    expiresAtMs: EpochMs,
  },
  { additionalProperties: false },
);
export type Session = Static<typeof SessionSchema>;

/** What a page may know before anybody signed in. */
export const ServerInfoSchema = Type.Object(
  { name: Type.Literal("Huishi"), version: Type.String(), needsSetup: Type.Boolean(), serverTimeMs: EpochMs },
  { additionalProperties: false },
);

export const CameraPatch = Type.Object(
  {
    name: DisplayName,
    /** Left out, it stays where it is. */
    areaId: Type.Optional(Type.Union([Id, Type.Null()])),
    /** Whether the centre fetches what the uplink lost. Left out, it stays as it is. */
    backfill: Type.Optional(Type.Boolean()),
    version: Type.Integer({ minimum: 1 }),
  },
  { additionalProperties: false },
);

/** What people say of a sensor; the rest its agent does. */
export const SensorPatch = Type.Object(
  {
    name: DisplayName,
    /** Left out, it stays where it is. */
    areaId: Type.Optional(Type.Union([Id, Type.Null()])),
    version: Type.Integer({ minimum: 1 }),
  },
  { additionalProperties: false },
);

export const ZoneCreate = Type.Object(
  { name: DisplayName, kind: ZoneKindSchema, points: Type.Array(PointSchema, { minItems: 2, maxItems: 32 }) },
  { additionalProperties: false },
);
export const ZoneUpdate = Type.Object(
  {
    name: DisplayName,
    points: Type.Array(PointSchema, { minItems: 2, maxItems: 32 }),
    version: Type.Integer({ minimum: 1 }),
  },
  { additionalProperties: false },
);
export const RuleCreate = Type.Object({ zoneId: Id, ...ruleSettings }, { additionalProperties: false });
export const RuleUpdate = Type.Object(
  { zoneId: Id, ...ruleSettings, version: Type.Integer({ minimum: 1 }) },
  { additionalProperties: false },
);
export type RuleCreateBody = Static<typeof RuleCreate>;

export const AlarmQuery = Type.Object(
  {
    state: Type.Optional(AlarmStateSchema),
    /** Of sensors that it looks at, too. */
    cameraId: Type.Optional(Id),
    sensorId: Type.Optional(Id),
    priority: Type.Optional(PrioritySchema),
    /** Keyset paging: alarms with a smaller id than this one. */
    before: Type.Optional(Type.String({ pattern: "^[0-9]{1,19}$" })),
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 500, default: 100 })),
  },
  { additionalProperties: false },
);
export const AlarmPage = Type.Object(
  { alarms: Type.Array(AlarmSchema), next: Type.Union([Type.String(), Type.Null()]) },
  { additionalProperties: false },
);
export const AlarmMoveRequest = Type.Object(
  { opinion: Type.Optional(Type.String({ maxLength: 500 })) },
  { additionalProperties: false },
);

/** An agent exchanges a one-time code for its identity. */
const RawKey = Type.String({ pattern: "^[A-Za-z0-9_-]{43}$" });
const Signature = Type.String({ pattern: "^[A-Za-z0-9_-]{86}$" });
export const ClaimRequest = Type.Object(
  {
    code: Type.String({ minLength: 20, maxLength: 64 }),
    name: DisplayName,
    /** Public keys, raw, base64url: Ed25519 and X25519; `proof` signs `claimProofText` with the first. */
    keys: Type.Optional(
      Type.Object({ sign: RawKey, seal: RawKey, proof: Signature }, { additionalProperties: false }),
    ),
  },
  { additionalProperties: false },
);
export const ClaimResponse = Type.Object(
  { agentId: Id, secret: Type.String(), mqttUrl: Type.String() },
  { additionalProperties: false },
);
export type Claim = Static<typeof ClaimResponse>;

/** A claim code, shown once. */
export const ClaimCodeSchema = Type.Object(
  {
    code: Type.String(),
    expiresAtMs: EpochMs,
    /** For a QR code, where the centre speaks TLS with an authority of its own: code, host and its fingerprint. */
    claimText: Type.Optional(Type.String()),
  },
  { additionalProperties: false },
);
export type ClaimCode = Static<typeof ClaimCodeSchema>;

/** An agent as the administrator sees it; its secret is nowhere to be read. */
export const AgentSchema = Type.Object(
  {
    id: Id,
    name: DisplayName,
    online: Type.Boolean(),
    statusAtMs: Type.Union([EpochMs, Type.Null()]),
    createdAtMs: EpochMs,
    revoked: Type.Boolean(),
    cameras: Type.Integer({ minimum: 0 }),
  },
  { additionalProperties: false },
);
export type Agent = Static<typeof AgentSchema>;

/** A device that an agent found on its network and that is (or was) in quarantine. */
export const FoundDeviceSchema = Type.Object(
  {
    agentId: Id,
    deviceKey: Type.String(),
    how: Type.Enum(["ws_discovery", "subnet_probe", "typed"]),
    address: Type.String(),
    onvifUrl: Type.Union([Type.String(), Type.Null()]),
    rtspPort: Type.Union([Type.Integer(), Type.Null()]),
    name: Type.Union([Type.String(), Type.Null()]),
    hardware: Type.Union([Type.String(), Type.Null()]),
    /** `adopted`: a camera of its agent has the device's address; `gone`: not seen for long. */
    state: Type.Enum(["quarantined", "adopted", "gone"]),
    firstAtMs: EpochMs,
    toldAtMs: EpochMs,
  },
  { additionalProperties: false },
);
export type FoundDevice = Static<typeof FoundDeviceSchema>;
export const FoundDeviceList = Type.Object(
  { devices: Type.Array(FoundDeviceSchema) },
  { additionalProperties: false },
);

export const CameraList = Type.Object({ cameras: Type.Array(CameraSchema) }, { additionalProperties: false });
export const ZoneList = Type.Object({ zones: Type.Array(ZoneSchema) }, { additionalProperties: false });
export const RuleList = Type.Object({ rules: Type.Array(RuleSchema) }, { additionalProperties: false });
export const AgentList = Type.Object({ agents: Type.Array(AgentSchema) }, { additionalProperties: false });

/** One move in an alarm's life, append-only. */
export const AlarmMoveRecordSchema = Type.Object(
  {
    id: Type.String(),
    movedAtMs: EpochMs,
    from: AlarmStateSchema,
    to: AlarmStateSchema,
    actor: Type.String(),
    opinion: Type.Union([Type.String(), Type.Null()]),
  },
  { additionalProperties: false },
);
export type AlarmMoveRecord = Static<typeof AlarmMoveRecordSchema>;
export const AlarmMoveList = Type.Object(
  { moves: Type.Array(AlarmMoveRecordSchema) },
  { additionalProperties: false },
);

/** Time range of counts, half open: `fromMs` <= crossing < `toMs`. Defaults: the last 24 hours. */
export const LineCountsQuery = Type.Object(
  { fromMs: Type.Optional(EpochMs), toMs: Type.Optional(EpochMs) },
  { additionalProperties: false },
);
const DirectionCounts = {
  leftToRight: Type.Integer({ minimum: 0 }),
  rightToLeft: Type.Integer({ minimum: 0 }),
};
export const LineCountsSchema = Type.Object(
  {
    ruleId: Id,
    fromMs: EpochMs,
    toMs: EpochMs,
    ...DirectionCounts,
    byClass: Type.Array(
      Type.Object({ objectClass: Type.String(), ...DirectionCounts }, { additionalProperties: false }),
    ),
  },
  { additionalProperties: false },
);
export type LineCounts = Static<typeof LineCountsSchema>;

/** Without `set` the settings are only read. */
export const ImagingRequest = Type.Object(
  { set: Type.Optional(ImagingSchema) },
  { additionalProperties: false },
);
/** What an agent gave back, by the kind of the command. */
/** Networks to scan, inside the site's own; at most 1,024 addresses in all. */
export const ScanRequest = Type.Object(
  { networks: Type.Array(NetworkSchema, { minItems: 1, maxItems: 8 }) },
  { additionalProperties: false },
);

export const CommandResult = Type.Object(
  { result: Type.Record(Type.String({ maxLength: 64 }), Type.Unknown()) },
  { additionalProperties: false },
);

/** An agent's configuration as it is kept, and what the agent says of it. */
export const AgentConfigRecordSchema = Type.Object(
  {
    config: Type.Union([AgentConfigSchema, Type.Null()]),
    changedAtMs: Type.Union([EpochMs, Type.Null()]),
    changedBy: Type.Union([Type.String(), Type.Null()]),
    /** The last revision that the agent spoke of. */
    state: Type.Union([
      Type.Object({ ...ConfigStateSchema.properties, atMs: EpochMs }, { additionalProperties: false }),
      Type.Null(),
    ]),
  },
  { additionalProperties: false },
);
export type AgentConfigRecord = Static<typeof AgentConfigRecordSchema>;
/** `expectedRevision`: the one that it was made from; 0 where there was none. */
export const AgentConfigUpdate = Type.Object(
  {
    expectedRevision: Type.Integer({ minimum: 0 }),
    config: Type.Omit(AgentConfigSchema, ["v", "revision", "issuedAtMs"]),
  },
  { additionalProperties: false },
);
export type AgentConfigBody = Static<typeof AgentConfigUpdate>["config"];

/** One agent in full. Of its keys only their names and public halves' digests are shown. */
export const AgentDetailSchema = Type.Object(
  {
    ...AgentSchema.properties,
    keys: Type.Array(
      Type.Object(
        {
          kind: Type.Union([Type.Literal("sign"), Type.Literal("seal")]),
          keyId: Type.String(),
          /** SHA-256 of the public key, hex. */
          fingerprint: Type.String(),
          createdAtMs: EpochMs,
        },
        { additionalProperties: false },
      ),
    ),
    configRevision: Type.Union([Type.Integer(), Type.Null()]),
    status: Type.Union([AgentStatusSchema, Type.Null()]),
  },
  { additionalProperties: false },
);
export type AgentDetail = Static<typeof AgentDetailSchema>;

/** A camera's account, on its way to the agent; kept nowhere at the centre. */
export const CredentialRequest = Type.Object(
  {
    username: Type.String({ minLength: 1, maxLength: 256 }),
    password: Type.String({ maxLength: 256 }),
  },
  { additionalProperties: false },
);
/** An agent's new secret, as its digest; signed by the agent's key (`secretChangeText`). */
export const SecretChange = Type.Object(
  {
    secretHash: Type.String({ pattern: "^[0-9a-f]{64}$" }),
    atMs: EpochMs,
    signature: Signature,
  },
  { additionalProperties: false },
);

/** PEM of the authority behind the centre's certificate. */
export const CertificateAuthority = Type.Object({ pem: Type.String() }, { additionalProperties: false });
