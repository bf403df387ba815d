import { sameGroup } from "../class-group.ts";
import { assign } from "./assignment.ts";
import {
  type LivingTrack,
  type Measurement,
  varianceX,
  varianceY,
  varianceW,
  varianceH,
} from "./living-track.ts";
import { PARAMETERS } from "./parameters.ts";

/** A detection of another class of the same group costs this much more. */
const CLASS_CHANGE = 0.5;

/**
 * What it costs to call a detection this track's: the negative logarithm of the likelihood that the track's
 * Gaussian expectation gives to its centre (density per size of the object) and to the logarithms of its sides.
 * A long-lost track has a wide expectation, so a precise one wins what both could have; and where boxes no longer
 * overlap from frame to frame (1-5 pictures a second) the velocity decides, not the overlap.
 */
export function pairCost(track: LivingTrack, measured: Measurement): number {
  if (!sameGroup(track.objectClass, measured.detection.objectClass)) return Infinity;
  const spreadX = track.cx.pp + varianceX(measured);
  const spreadY = track.cy.pp + varianceY(measured);
  const distance =
    (measured.cx - track.cx.position) ** 2 / spreadX + (measured.cy - track.cy.position) ** 2 / spreadY;
  if (distance > PARAMETERS.gate) return Infinity;
  const logW = Math.log(measured.w) - track.logW.value;
  const logH = Math.log(measured.h) - track.logH.value;
  const shape =
    logW ** 2 / (track.logW.variance + varianceW()) + logH ** 2 / (track.logH.variance + varianceH());
  const spread = Math.log((spreadX * spreadY) / (track.w * track.h) ** 2);
  const change = track.objectClass === measured.detection.objectClass ? 0 : CLASS_CHANGE;
  const cost = 0.5 * (distance + Math.min(shape, PARAMETERS.gate) + spread) + change;
  if (cost > PARAMETERS.matchLimit) return Infinity;
  return cost + PARAMETERS.lostCost * (track.misses > 0 ? 1 : 0) + PARAMETERS.lostRate * track.unseenS;
}

/** For each track the index of its detection, or -1; cheapest as a whole. */
export function associate(
  tracks: readonly LivingTrack[],
  detections: readonly Measurement[],
  limit: number,
): Int32Array {
  const costs = new Float64Array(tracks.length * detections.length);
  let k = 0;
  for (const track of tracks) for (const detection of detections) costs[k++] = pairCost(track, detection);
  return assign(costs, tracks.length, detections.length, limit + PARAMETERS.slack);
}
