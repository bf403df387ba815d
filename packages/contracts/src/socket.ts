import { type Static, Type } from "typebox";
import { BoxSchema, EpochMs, Id, StreamProfileSchema } from "./common.ts";
import { AlarmSchema } from "./alarm.ts";
import { CameraSchema } from "./camera.ts";
import { RuleSchema, ZoneSchema } from "./rules.ts";

/**
 * The one WebSocket (`GET /api/v1/socket`, same-origin, session cookie). Text frames are JSON; binary frames are
 * media. A client says hello with the cursor it has, is given what it missed, then every change in order.
 *
 * Binary frame: 2 bytes big endian channel number (from `watching`), then one access unit as media-framing
 * encodes it (`encodeAccessUnit`).
 */
export const SOCKET_PATH = "/api/v1/socket";
/** Channels at most on one socket: 16 live tiles and a focus tile. */
export const MAX_WATCHES = 17;

/** Codes with which the server closes a socket (RFC 6455 §7.4.2: 4000-4999 are the application's own). */
export const SOCKET_CLOSE = {
  /** A message that is no ClientMessage, or nothing said in the first seconds. */
  badMessage: 4000,
  /** The session ended or expired: sign in again. */
  sessionEnded: 4001,
  /** The client stayed too far behind; it may come back with its cursor. */
  tooSlow: 4008,
  /** More messages than a person can cause. */
  tooManyMessages: 4029,
  /** The server stops; come back with the cursor. */
  goingAway: 1001,
} as const;

/** Where a consumer stands in the stream of changes; opaque to clients. */
export const CursorSchema = Type.String({ pattern: "^[0-9]{1,20}-[0-9]{1,20}$" });

export const WatchSchema = Type.Object(
  { cameraId: Id, profile: StreamProfileSchema },
  { additionalProperties: false },
);
export type Watch = Static<typeof WatchSchema>;

export const ClientMessageSchema = Type.Union([
  /** First message. Without a cursor the client starts from now: it reads the lists over HTTP after `welcome`. */
  Type.Object(
    { t: Type.Literal("hello"), cursor: Type.Optional(CursorSchema) },
    { additionalProperties: false },
  ),
  /** The whole set of streams this client shows now; replaces the set before. */
  Type.Object(
    { t: Type.Literal("watch"), watches: Type.Array(WatchSchema, { maxItems: MAX_WATCHES }) },
    { additionalProperties: false },
  ),
  Type.Object({ t: Type.Literal("ping"), id: Type.Integer({ minimum: 0 }) }, { additionalProperties: false }),
]);
export type ClientMessage = Static<typeof ClientMessageSchema>;

/** A committed change of something people see. `deleted` carries the id alone. */
export const ChangeSchema = Type.Union([
  Type.Object({ kind: Type.Literal("alarm"), alarm: AlarmSchema }, { additionalProperties: false }),
  Type.Object({ kind: Type.Literal("camera"), camera: CameraSchema }, { additionalProperties: false }),
  Type.Object({ kind: Type.Literal("zone"), zone: ZoneSchema }, { additionalProperties: false }),
  Type.Object({ kind: Type.Literal("rule"), rule: RuleSchema }, { additionalProperties: false }),
  Type.Object(
    {
      kind: Type.Literal("deleted"),
      what: Type.Union([Type.Literal("camera"), Type.Literal("zone"), Type.Literal("rule")]),
      id: Id,
    },
    { additionalProperties: false },
  ),
]);
export type Change = Static<typeof ChangeSchema>;

/** Live boxes of one analysed frame, drawn over the picture with the same capture time. */
export const SceneFrameSchema = Type.Object(
  {
    cameraId: Id,
    capturedAtMs: EpochMs,
    tracks: Type.Array(
      Type.Object(
        { id: Type.String(), objectClass: Type.String(), score: Type.Number(), box: BoxSchema },
        { additionalProperties: false },
      ),
    ),
    /** Running totals of the camera's counting lines since the analysis started: rule id -> count by direction. */
    lineCounts: Type.Optional(
      Type.Record(
        Type.String(),
        Type.Object(
          { leftToRight: Type.Integer(), rightToLeft: Type.Integer() },
          { additionalProperties: false },
        ),
      ),
    ),
  },
  { additionalProperties: false },
);
export type SceneFrame = Static<typeof SceneFrameSchema>;

export const ServerMessageSchema = Type.Union([
  /** `resumed: false` tells that the cursor was too old: read the lists again. */
  Type.Object(
    { t: Type.Literal("welcome"), serverTimeMs: EpochMs, cursor: CursorSchema, resumed: Type.Boolean() },
    { additionalProperties: false },
  ),
  Type.Object(
    { t: Type.Literal("changes"), cursor: CursorSchema, changes: Type.Array(ChangeSchema) },
    { additionalProperties: false },
  ),
  Type.Object(
    {
      t: Type.Literal("watching"),
      channels: Type.Array(
        Type.Object(
          {
            channel: Type.Integer({ minimum: 0, maximum: 65535 }),
            cameraId: Id,
            profile: StreamProfileSchema,
          },
          { additionalProperties: false },
        ),
      ),
      /** Watches that were refused, each with the code of the reason. */
      refused: Type.Array(
        Type.Object({ cameraId: Id, code: Type.String() }, { additionalProperties: false }),
      ),
    },
    { additionalProperties: false },
  ),
  Type.Object({ t: Type.Literal("scene"), scene: SceneFrameSchema }, { additionalProperties: false }),
  Type.Object(
    { t: Type.Literal("pong"), id: Type.Integer({ minimum: 0 }), serverTimeMs: EpochMs },
    { additionalProperties: false },
  ),
  Type.Object(
    { t: Type.Literal("error"), code: Type.String(), message: Type.String() },
    { additionalProperties: false },
  ),
]);
export type ServerMessage = Static<typeof ServerMessageSchema>;
