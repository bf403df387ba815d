import { type Static, Type } from "typebox";
import { NetworkSchema } from "./agent-config.ts";
import { EpochMs, Id, StreamProfileSchema } from "./common.ts";

export const MAX_COMMAND_BYTES = 64 * 1024;
const Token = Type.String({ minLength: 1, maxLength: 64 });
/** ONVIF's generic spaces: -1..1 for pan, tilt and speed, 0..1 for zoom (PTZ §5.2). */
const Signed = Type.Number({ minimum: -1, maximum: 1 });
const vector = { pan: Type.Optional(Signed), tilt: Type.Optional(Signed), zoom: Type.Optional(Signed) };
const closed = { additionalProperties: false } as const;

export const PtzMoveSchema = Type.Union([
  Type.Object({ kind: Type.Literal("absolute"), ...vector, speed: Type.Optional(Signed) }, closed),
  Type.Object({ kind: Type.Literal("relative"), ...vector, speed: Type.Optional(Signed) }, closed),
  /** Ends by itself after `timeoutMs` (at most 10 s), so that a lost `stop` turns no camera for ever. */
  Type.Object(
    {
      kind: Type.Literal("continuous"),
      ...vector,
      timeoutMs: Type.Integer({ minimum: 100, maximum: 10_000 }),
    },
    closed,
  ),
  Type.Object({ kind: Type.Literal("stop") }, closed),
  Type.Object({ kind: Type.Literal("home") }, closed),
  Type.Object({ kind: Type.Literal("goto_preset"), preset: Token }, closed),
  Type.Object({ kind: Type.Literal("set_preset"), name: Token, preset: Type.Optional(Token) }, closed),
  Type.Object({ kind: Type.Literal("remove_preset"), preset: Token }, closed),
  Type.Object({ kind: Type.Literal("list_presets") }, closed),
  Type.Object({ kind: Type.Literal("status") }, closed),
]);
export type PtzMove = Static<typeof PtzMoveSchema>;

/** 0..100 of the camera's own range, so that one slider fits every camera. */
const Percent = Type.Number({ minimum: 0, maximum: 100 });
export const ImagingSchema = Type.Object(
  {
    brightness: Type.Optional(Percent),
    contrast: Type.Optional(Percent),
    saturation: Type.Optional(Percent),
    sharpness: Type.Optional(Percent),
    /** Infra-red cut filter: `auto`, `on` (day), `off` (night). */
    irCutFilter: Type.Optional(Type.Enum(["auto", "on", "off"])),
  },
  closed,
);
export type Imaging = Static<typeof ImagingSchema>;

/** Names one upload (`huishi/v1/{agent}/upload/{transfer}`). */
const transferId = Id;

/** What an agent can be asked to do now. Each is answered by one CommandReply; one that comes too late is not done. */
export const CommandBodySchema = Type.Union([
  /** Bounded probe of ONVIF and RTSP ports, at most 1,024 addresses; what is found comes as `device_found`. */
  Type.Object({ kind: Type.Literal("scan"), networks: Type.Array(NetworkSchema, { maxItems: 8 }) }, closed),
  /** The camera's account, sealed to the agent's own key; tried at most once. Empty `sealed` forgets it. */
  Type.Object(
    {
      kind: Type.Literal("credential"),
      cameraId: Id,
      sealed: Type.String({ maxLength: 4096, pattern: "^[A-Za-z0-9_-]*$" }),
    },
    closed,
  ),
  Type.Object({ kind: Type.Literal("ptz"), cameraId: Id, move: PtzMoveSchema }, closed),
  /** Without settings it only reads them. */
  Type.Object({ kind: Type.Literal("imaging"), cameraId: Id, set: Type.Optional(ImagingSchema) }, closed),
  Type.Object({ kind: Type.Literal("snapshot"), cameraId: Id, transferId }, closed),
  /** Which stretches of time the ring buffer holds. */
  Type.Object(
    {
      kind: Type.Literal("recordings"),
      cameraId: Id,
      profile: StreamProfileSchema,
      fromMs: EpochMs,
      toMs: EpochMs,
    },
    closed,
  ),
  /** Sends what the ring buffer holds of the range, in the camera's own bitstream, with its signed manifest. */
  Type.Object(
    {
      kind: Type.Literal("clip"),
      cameraId: Id,
      profile: StreamProfileSchema,
      fromMs: EpochMs,
      toMs: EpochMs,
      transferId,
    },
    closed,
  ),
  Type.Object(
    { kind: Type.Literal("logs"), maxBytes: Type.Integer({ minimum: 1, maximum: 16_777_216 }), transferId },
    closed,
  ),
  Type.Object({ kind: Type.Literal("metrics") }, closed),
  /** The agent makes a new secret's digest known by HTTP and uses it from its next connection on. */
  Type.Object({ kind: Type.Literal("rotate_secret") }, closed),
]);
export type CommandBody = Static<typeof CommandBodySchema>;
export type CommandKind = CommandBody["kind"];

export const AgentCommandSchema = Type.Object(
  {
    v: Type.Literal(1),
    id: Id,
    issuedAtMs: EpochMs,
    /** Milliseconds after `issuedAtMs` until which it may begin. */
    validMs: Type.Integer({ minimum: 100, maximum: 86_400_000 }),
    body: CommandBodySchema,
  },
  closed,
);
export type AgentCommand = Static<typeof AgentCommandSchema>;

export const CommandReplySchema = Type.Object(
  {
    v: Type.Literal(1),
    commandId: Id,
    ok: Type.Boolean(),
    /** What it gave, by kind (packages/contracts, command-results). */
    result: Type.Optional(Type.Record(Type.String({ maxLength: 64 }), Type.Unknown(), { maxProperties: 64 })),
    /** Stable error code, when it was not done. */
    code: Type.Optional(Type.String({ maxLength: 64 })),
    message: Type.Optional(Type.String({ maxLength: 500 })),
  },
  closed,
);
export type CommandReply = Static<typeof CommandReplySchema>;
