import { type Static, Type } from "typebox";
import { DisplayName, EpochMs, Id } from "./common.ts";
import { CameraConditionSchema, CameraStreamSchema } from "./events.ts";

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
