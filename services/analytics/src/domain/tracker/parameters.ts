import type { ObjectClass } from "@huishi/contracts";

/**
 * One set of parameters for every camera and frame rate, chosen on the flat of what `npm run eval:tracks` scores.
 * Lengths are in units of the object's own size (the root of its box's area: about a metre for a person), times
 * in seconds or milliseconds of capture time.
 */
export const PARAMETERS = {
  /**
   * The camera's typical score (see CameraHabits): what it is taken for at first, how far a detection pulls it (and the
   * first ones), and
   * below which it never falls.
   */
  typicalScoreFirst: 0.6,
  typicalScoreStep: 0.01,
  typicalScoreFirstStep: 0.2,
  typicalScoreLeast: 0.5,
  /** Detections from this share of the typical score start tracks and are assigned first. */
  highScore: 0.8,
  /** Weaker ones down to this score only carry on a track that was there just before. */
  lowScore: 0.2,
  /** A new track is believed when its scores, as shares of the typical one and above the base, add up to this... */
  evidenceBase: 0.7,
  evidenceNeeded: 0.4,
  /** ...and given up when it is missed before that and was last seen this long ago. */
  tentativeMs: 250,
  /**
   * A confirmed track that is missed counts as present for this long, so that it does not flicker, as long as the
   * standard deviation of its place is within this share of its sides: else the prediction would be a guess...
   */
  graceMs: 1_000,
  placedWithin: 0.18,
  /** ...and is looked for this long. */
  lostMs: 2_000,
  /** A stationary one as long as it had stood, within these bounds: what hides it moves on. */
  stationaryLostLeastMs: 30_000,
  stationaryLostMostMs: 10 * 60_000,
  /**
   * Nothing was inspected where it was for this long: its identity cannot be vouched for; a stationary one's can, as
   * motion would have been inspected.
   */
  unobservedMs: 60_000,
  stationaryUnobservedMs: 24 * 3_600_000,
  /** A gap in the pictures longer than this ends all that moved, one longer than that what stood still too. */
  gapMs: 10_000,
  stationaryGapMs: 15 * 60_000,
  /** Share of a stationary object's box behind another one from which it is hidden, not missed. */
  hiddenShare: 0.6,

  /** Standard deviation of a person's speed across and down the picture, sizes per second; vehicles are faster. */
  speedX: 2,
  speedY: 0.4,
  vehicleFactor: 2,
  /**
   * How much slower what stands still is expected to be: at first, from this long on in proportion to the time less,
   * after long (a share of the first), and while it is not seen.
   */
  stillFactor: 0.7,
  inertiaMs: 5_000,
  stillFactorLeast: 0.07,
  unseenStillFactor: 0.1,
  /** What stood still and is not seen is still there: its place gets no less certain than this share of its sides. */
  stillSpread: 0.4,
  /** Seconds over which a velocity is forgotten. */
  velocityTimeConstant: 7,
  /** How a track's agility follows its surprises (see LivingTrack.adapt). */
  agilityRate: 0.1,
  agilityLeast: 0.4,
  agilityMost: 10,
  /** How a camera's agility follows its tracks'. */
  habitRate: 0.1,
  expectedSurprise: 0.7,

  /** Measurement noise: of the centre as a share of the sides, of the sides' logarithms, and their drift per √s. */
  centreNoiseX: 0.13,
  centreNoiseY: 0.06,
  widthNoise: 0.25,
  heightNoise: 0.2,
  sideDrift: 0.25,
  vehicleDriftFactor: 3,

  /** Squared Mahalanobis distance of the centre beyond which a pair is impossible. */
  gate: 16,
  /** Cost from which a pair is not made; for weak detections (see association.ts). */
  matchLimit: 4,
  weakMatchLimit: 0,
  /** What each second unseen adds to a pair's cost, and how much at most: who was just seen comes first. */
  unseenCost: 0.5,
  unseenCostMost: 2,
  /** A detection of another class of the same group costs this much more. */
  classChangeCost: 0.5,
  /**
   * Looks (see appearance.ts): the distance that says nothing, what a distance of 1 more would cost, and how much likeness
   * and unlikeness count at most; how often one is taken of a track that stands free, and how much of it the older ones make room for.
   */
  appearanceNeutral: 0.28,
  appearanceSlope: 16,
  appearanceGainMost: 2,
  appearanceCostMost: 6,
  appearanceEveryMs: 1_000,
  appearanceRate: 0.3,
  /** Share of a box that another one may hide for its look to be its own. */
  appearanceOverlap: 0.1,
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

/** Variance by which the logarithm of a side strays in a second: what drives towards the camera grows quickly. */
export function sideDriftVariance(objectClass: ObjectClass): number {
  return ((VEHICLES.has(objectClass) ? PARAMETERS.vehicleDriftFactor : 1) * PARAMETERS.sideDrift) ** 2;
}

/** Variances of the velocity of a class across and down the picture, in squared sizes per second. */
export function velocityVariances(objectClass: ObjectClass): { x: number; y: number } {
  const factor = VEHICLES.has(objectClass) ? PARAMETERS.vehicleFactor : 1;
  return { x: (factor * PARAMETERS.speedX) ** 2, y: (factor * PARAMETERS.speedY) ** 2 };
}
