import { sameGroup } from "../class-group.ts";
import type { LivingTrack } from "./living-track.ts";
import type { Measurement, Shift } from "./measurement.ts";

/** Tracks that have a say: those best known, so that the cost stays small in a crowd. */
const MOST_WITNESSES = 12;
const LEAST_WITNESSES = 2;
/**
 * Share of the witnesses that must agree on a shift, and for so many of them at most may there be a track, if one that
 * had been out of sight, that finds its detection where it is expected.
 */
const AGREEING = 0.5;
const SEEING_NONE = 0.35;
/** Residuals within these shares of the object's width and height agree; a side may differ by this log ratio. */
const WIDTH_TOLERANCE = 0.5;
const HEIGHT_TOLERANCE = 0.18;
const SIDE_TOLERANCE = 0.35;
/** The object's own heights beyond which it is not a shift but another scene. */
const LARGEST_SHIFT = 2.5;

interface Residual extends Shift {
  readonly witness: number;
  readonly measured: Measurement;
  readonly toleranceX: number;
  readonly toleranceY: number;
}

/**
 * How far the camera moved between two frames, told by the objects alone: the displacement on which most tracks
 * find a detection of their size. Null when the tracks find theirs where they are expected (a fixed camera's
 * every frame), or when they do not agree.
 */
export function cameraShift(
  tracks: readonly LivingTrack[],
  detections: readonly Measurement[],
): Shift | null {
  const witnesses = tracks
    .filter((track) => track.state === "confirmed" && track.misses === 0 && track.observations > 2)
    .sort((a, b) => b.observations - a.observations || a.id - b.id)
    .slice(0, MOST_WITNESSES);
  if (witnesses.length < LEAST_WITNESSES) return null;
  const residuals = witnesses.flatMap((track, witness) => residualsOf(track, witness, detections));
  const hidden = tracks.filter((track) => track.state !== "tentative" && track.misses > 0);
  const others = hidden.flatMap((track, i) => residualsOf(track, witnesses.length + i, detections));
  const none = support({ x: 0, y: 0 }, [...residuals, ...others]).length;
  let best: Residual[] = [];
  for (const hypothesis of residuals) {
    const agreeing = support(hypothesis, residuals);
    if (agreeing.length > best.length) best = agreeing;
  }
  const enough = best.length >= LEAST_WITNESSES && best.length >= AGREEING * witnesses.length;
  if (!enough || none > SEEING_NONE * best.length) return null;
  return { x: median(best.map((one) => one.x)), y: median(best.map((one) => one.y)) };
}

function residualsOf(track: LivingTrack, witness: number, detections: readonly Measurement[]): Residual[] {
  const toleranceX = WIDTH_TOLERANCE * track.w;
  const toleranceY = HEIGHT_TOLERANCE * track.h;
  return detections
    .filter(
      ({ h, detection }) =>
        Math.abs(Math.log(h) - track.logH.value) < SIDE_TOLERANCE &&
        sameGroup(detection.objectClass, track.objectClass),
    )
    .map((measured) => ({
      x: measured.cx - track.cx.position,
      y: measured.cy - track.cy.position,
      witness,
      measured,
      toleranceX,
      toleranceY,
    }))
    .filter(({ x, y }) => Math.hypot(x, y) < LARGEST_SHIFT * track.h);
}

/** One residual of each witness that fits the hypothesis, the nearest to it, and one of each detection. */
function support(hypothesis: Shift, residuals: readonly Residual[]): Residual[] {
  const nearest = new Map<number, { residual: Residual; distance: number }>();
  for (const residual of residuals) {
    const dx = Math.abs(residual.x - hypothesis.x) / residual.toleranceX;
    const dy = Math.abs(residual.y - hypothesis.y) / residual.toleranceY;
    if (dx > 1 || dy > 1) continue;
    const distance = dx + dy;
    const known = nearest.get(residual.witness);
    if (known === undefined || distance < known.distance)
      nearest.set(residual.witness, { residual, distance });
  }
  const claimed = new Set<Measurement>();
  return [...nearest.values()]
    .map(({ residual }) => residual)
    .filter(({ measured }) => !claimed.has(measured) && claimed.add(measured));
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
