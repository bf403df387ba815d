import { type Static, Type } from "typebox";
import { DisplayName, EpochMs, Id, StreamProfileSchema } from "./common.ts";
import { CameraConditionSchema, CameraFaultSchema, CameraStreamSchema } from "./events.ts";

/** What is wrong with pictures or clock while the camera answers; null: not known, empty: nothing. */
export const CameraFaultsSchema = Type.Union([
  Type.Array(
    Type.Object(
      { fault: CameraFaultSchema, sinceMs: EpochMs, value: Type.Optional(Type.Number()) },
      { additionalProperties: false },
    ),
  ),
  Type.Null(),
]);

/** What a stream really was when it was last counted. */
export const MeasuredStreamSchema = Type.Object(
  {
    profile: StreamProfileSchema,
    codec: Type.Union([Type.Literal("h264"), Type.Literal("h265")]),
    width: Type.Integer({ minimum: 0 }),
    height: Type.Integer({ minimum: 0 }),
    fps: Type.Number({ minimum: 0 }),
    /** Bits a second. */
    bitRate: Type.Integer({ minimum: 0 }),
    gopMs: Type.Optional(Type.Integer({ minimum: 0 })),
    atMs: EpochMs,
  },
  { additionalProperties: false },
);
export type MeasuredStream = Static<typeof MeasuredStreamSchema>;

/** A camera as the centre shows it: the device record so far, and its condition. */
export const CameraSchema = Type.Object(
  {
    id: Id,
    agentId: Id,
    name: DisplayName,
    manufacturer: Type.Union([Type.String(), Type.Null()]),
    model: Type.Union([Type.String(), Type.Null()]),
    serial: Type.Union([Type.String(), Type.Null()]),
    address: Type.Union([Type.String(), Type.Null()]),
    streams: Type.Array(CameraStreamSchema),
    ptz: Type.Boolean(),
    /** What the demo plays, e.g. "generated scene" when real footage could not be had; null for real cameras. */
    note: Type.Union([Type.String({ maxLength: 200 }), Type.Null()]),
    condition: CameraConditionSchema,
    conditionCode: Type.Union([Type.String(), Type.Null()]),
    conditionSinceMs: Type.Union([EpochMs, Type.Null()]),
    faults: CameraFaultsSchema,
    measured: Type.Array(MeasuredStreamSchema),
    agentOnline: Type.Boolean(),
    /** The area that it stands in. */
    areaId: Type.Union([Id, Type.Null()]),
    /** Whether the centre fetches by itself what the uplink lost. */
    backfill: Type.Optional(Type.Boolean()),
    version: Type.Integer({ minimum: 1 }),
  },
  { additionalProperties: false },
);
export type Camera = Static<typeof CameraSchema>;
