import type { ObjectClass } from "@huishi/contracts";

/**
 * One set of parameters for every camera and frame rate. Lengths are in units of the object's own size (the root
 * of its box's area: about a metre for a person), times in seconds or milliseconds of capture time.
 */
export const PARAMETERS = {
  /** Detections from here start tracks and are assigned first. */
  highScore: 0.5,
  /** Weaker ones only carry on a track that was there just before. */
  lowScore: 0.2,
  /** A new track is believed when its scores add up to this, over at least two frames... */
  confirmScoreSum: 1.1,
  /** ...and given up when it is missed for this long (and at least once) before. */
  tentativeMs: 400,
  /** A confirmed track is looked for this long after it was last seen. */
  lostMs: 2_000,
  /** A stationary one longer: what hides it moves on. */
  stationaryLostMs: 30_000,
  /** Nothing was inspected where it was for this long: its identity cannot be vouched for. */
  unobservedMs: 60_000,
  /** A gap in the pictures longer than this ends all that moved. */
  gapMs: 10_000,

  /** Standard deviation of a person's speed, sizes per second, and of vehicles'. */
  speedX: 1.2,
  speedY: 0.5,
  vehicleFactor: 2,
  /** Seconds over which a velocity is forgotten. */
  velocityTimeConstant: 8,
  /** Measurement noise of the centre, share of the box's side. */
  centreNoiseX: 0.16,
  centreNoiseY: 0.06,
  /** Measurement noise and drift (per root second) of the sides' logarithms. */
  widthNoise: 0.2,
  heightNoise: 0.12,
  sideDrift: 0.25,

  /** Squared Mahalanobis distance of the centre beyond which a pair is impossible. */
  gate: 16,
  /** Cost from which a detection is rather a new object (see association.ts). */
  matchLimit: 3,
  weakMatchLimit: 0,
  lostCost: 1,
  lostRate: 1,
  slack: 5,
  /** Overlap with an assigned detection from which another one is its duplicate, not a new object. */
  duplicateIou: 0.6,

  /** An object stands still while its centre keeps within this many sizes... */
  stillTolerance: 0.25,
  /** ...for at least this long. */
  stillAfterMs: 2_000,
} as const;

const VEHICLES: ReadonlySet<ObjectClass> = new Set([
  "car",
  "bus",
  "truck",
  "train",
  "motorcycle",
  "bicycle",
  "boat",
]);

/** Variances of the velocity of a class across and down the picture, in squared sizes per second. */
export function velocityVariances(objectClass: ObjectClass): { x: number; y: number } {
  const factor = VEHICLES.has(objectClass) ? PARAMETERS.vehicleFactor : 1;
  return { x: (factor * PARAMETERS.speedX) ** 2, y: (factor * PARAMETERS.speedY) ** 2 };
}
