import { sameGroup } from "../class-group.ts";
import { appearanceCost, type Glances } from "./appearance.ts";
import { assign } from "./assignment.ts";
import type { LivingTrack } from "./living-track.ts";
import { type Measurement, VARIANCE_LOG_H, VARIANCE_LOG_W, varianceX, varianceY } from "./measurement.ts";
import { PARAMETERS } from "./parameters.ts";

/**
 * What it costs to call a detection this track's: the negative logarithm of the likelihood that the track's
 * Gaussian expectation gives to its centre (density per size of the object) and to the logarithms of its sides.
 * A long-lost track has a wide expectation, so a precise one wins what both could have; and where boxes no longer
 * overlap from frame to frame (1-5 pictures a second) the velocity decides, not the overlap.
 * @returns Infinity from `limit` on
 */
function pairCost(track: LivingTrack, measured: Measurement, limit: number): number {
  const { objectClass } = measured.detection;
  if (!sameGroup(track.objectClass, objectClass)) return Infinity;
  const spreadX = track.cx.pp + varianceX(measured);
  const spreadY = track.cy.pp + varianceY(measured);
  const distance =
    (measured.cx - track.cx.position) ** 2 / spreadX + (measured.cy - track.cy.position) ** 2 / spreadY;
  if (distance > PARAMETERS.gate) return Infinity;
  const logW = Math.log(measured.w) - track.logW.value;
  const logH = Math.log(measured.h) - track.logH.value;
  const shape =
    logW ** 2 / (track.logW.variance + VARIANCE_LOG_W) + logH ** 2 / (track.logH.variance + VARIANCE_LOG_H);
  const spread = Math.log((spreadX * spreadY) / (track.w * track.h) ** 2);
  const change = track.objectClass === objectClass ? 0 : PARAMETERS.classChangeCost;
  const cost = 0.5 * (distance + Math.min(shape, PARAMETERS.gate) + spread) + change;
  return cost >= limit ? Infinity : cost;
}

/** For each track the index of its detection, or -1; cheapest as a whole. */
export function associate(
  tracks: readonly LivingTrack[],
  detections: readonly Measurement[],
  limit: number,
  glances: Glances,
): Int32Array {
  const columns = detections.length;
  const reach = limit + PARAMETERS.appearanceGainMost;
  const costs = new Float64Array(tracks.length * columns);
  let k = 0;
  for (const track of tracks)
    for (const detection of detections) costs[k++] = pairCost(track, detection, reach);
  if (glances.possible)
    for (let j = 0; j < columns; j++) compareLooks(tracks, detections[j]!, glances, { costs, columns, j });
  for (k = 0; k < costs.length; k++) {
    costs[k] = costs[k]! >= limit ? Infinity : costs[k]! + tracks[Math.floor(k / columns)]!.unseenCost;
  }
  return assign(costs, tracks.length, columns, limit + PARAMETERS.unseenCostMost);
}

/**
 * Lets looks speak where places alone do not tell: when several tracks could have the detection, or one that had been
 * out of sight. Most detections are never looked at.
 */
function compareLooks(
  tracks: readonly LivingTrack[],
  detection: Measurement,
  glances: Glances,
  { costs, columns, j }: { readonly costs: Float64Array; readonly columns: number; readonly j: number },
): void {
  const rivals = tracks.flatMap((track, i) =>
    costs[i * columns + j]! < Infinity ? [{ track, at: i * columns + j }] : [],
  );
  if (rivals.length < 2 && !rivals.some(({ track }) => track.misses > 0)) return;
  for (const { track, at } of rivals) {
    if (track.appearance === null) continue;
    const seen = glances.of(detection);
    if (seen !== null) costs[at]! += appearanceCost(track.appearance, seen);
  }
}
