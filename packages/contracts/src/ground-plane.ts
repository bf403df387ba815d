import { type Static, Type } from "typebox";
import { Id, PointSchema } from "./common.ts";

/** WGS84, degrees. */
export const GeoPositionSchema = Type.Object(
  {
    latitude: Type.Number({ minimum: -90, maximum: 90 }),
    longitude: Type.Number({ minimum: -180, maximum: 180 }),
  },
  { additionalProperties: false },
);

/** One point of the ground: where the picture shows it, and where it is on the map. */
export const GroundPairSchema = Type.Object(
  { picture: PointSchema, position: GeoPositionSchema },
  { additionalProperties: false },
);

/**
 * Four points round a convex quadrilateral of flat ground, in the same order on both sides; what else is asked of them
 * stands with `groundPlaneProblem` (kernel).
 */
export const GroundPairsSchema = Type.Array(GroundPairSchema, { minItems: 4, maxItems: 4 });
export type GroundPairs = Static<typeof GroundPairsSchema>;

/** How a camera's picture lies on the ground. */
export const GroundPlaneSchema = Type.Object(
  { cameraId: Id, pairs: GroundPairsSchema, version: Type.Integer({ minimum: 1 }) },
  { additionalProperties: false },
);
export type CameraGroundPlane = Static<typeof GroundPlaneSchema>;

/** Names the version it was made from; 0: there was none. */
export const GroundPlanePut = Type.Object(
  { pairs: GroundPairsSchema, version: Type.Integer({ minimum: 0 }) },
  { additionalProperties: false },
);
