import type { Box } from "@huishi/kernel";
import type { LivingTrack } from "../tracker/living-track.ts";
import {
  type Measurement,
  measure,
  VARIANCE_LOG_H,
  VARIANCE_LOG_W,
  varianceX,
  varianceY,
} from "../tracker/measurement.ts";
import type { Axis, Level } from "../tracker/motion-model.ts";
import type { Sighting } from "./sighting.ts";

/** A stored box is rounded to a ten-thousandth: what that does to a measurement must not look like a jump. */
const FARTHEST_SIZES = 3;

/**
 * The measurement that made of the track's prediction the box that was stored. A Kalman filter moves the prediction by its
 * gain towards the measurement; the gain follows from the covariances alone, and those do not depend on what was measured:
 * so the way back is `prediction + (stored - prediction) / gain`.
 *
 * @param track after `predict` for the frame's time
 */
export function unfiltered(track: LivingTrack, sighting: Sighting, aspectRatio: number): Measurement {
  const stored = measure({ ...sighting, box: sighting.box }, aspectRatio);
  const w = sideBack(track.logW, stored.w, VARIANCE_LOG_W);
  const h = sideBack(track.logH, stored.h, VARIANCE_LOG_H);
  const sized: Measurement = { ...stored, w, h };
  const cx = placeBack(track.cx, stored.cx, { noise: varianceX(sized), reach: FARTHEST_SIZES * stored.w });
  const cy = placeBack(track.cy, stored.cy, { noise: varianceY(sized), reach: FARTHEST_SIZES * stored.h });
  const box: Box = { x: (cx - w / 2) / aspectRatio, y: cy - h / 2, w: w / aspectRatio, h };
  return { detection: { objectClass: sighting.objectClass, score: sighting.score, box }, cx, cy, w, h };
}

function placeBack(axis: Axis, stored: number, { noise, reach }: { noise: number; reach: number }): number {
  const gain = axis.pp / (axis.pp + noise);
  const measured = axis.position + (stored - axis.position) / gain;
  return Math.min(Math.max(measured, stored - reach), stored + reach);
}

function sideBack(level: Level, stored: number, noise: number): number {
  const gain = level.variance / (level.variance + noise);
  const before = Math.exp(level.value);
  // Within a factor of two: a box cut by the picture's edge tells little about the object's size.
  const measured = before * (stored / before) ** (1 / gain);
  return Math.min(Math.max(measured, stored / 2), stored * 2);
}
