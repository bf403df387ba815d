import { isInsidePolygon, type Point } from "./geometry.ts";

/** A point of a track's path: milliseconds since the track was first seen, and where its foot was, normalised. */
export interface PathPoint extends Point {
  readonly atMs: number;
}

/** Under this distance (of the picture's width and height) between first and last point a track has no direction. */
const STILL_DISTANCE = 0.02;

/**
 * Direction from the first to the last point as the picture shows it, whole degrees clockwise: 0 up, 90 right,
 * 180 down, 270 left; null for what stayed where it was. Normalised coordinates: degrees of the picture as a square.
 */
export function headingDeg(path: readonly PathPoint[]): number | null {
  const first = path[0];
  const last = path.at(-1);
  if (!first || !last) return null;
  const dx = last.x - first.x;
  const dy = last.y - first.y;
  if (Math.hypot(dx, dy) < STILL_DISTANCE) return null;
  return Math.round((Math.atan2(dx, -dy) * 180) / Math.PI + 360) % 360;
}

/** A stay inside a zone, milliseconds since the track was first seen. */
export interface Visit {
  readonly enteredAtMs: number;
  readonly leftAtMs: number;
}

/**
 * When the path was inside the polygon, judged at its points: a visit begins at the first point inside and ends at
 * the first one outside after it, or with the path.
 */
export function visitsOf(path: readonly PathPoint[], polygon: readonly Point[]): Visit[] {
  const visits: Visit[] = [];
  let enteredAtMs: number | null = null;
  for (const point of path) {
    const isInside = isInsidePolygon(point, polygon);
    if (isInside) enteredAtMs ??= point.atMs;
    else if (enteredAtMs !== null) {
      visits.push({ enteredAtMs, leftAtMs: point.atMs });
      enteredAtMs = null;
    }
  }
  const last = path.at(-1);
  if (enteredAtMs !== null && last) visits.push({ enteredAtMs, leftAtMs: last.atMs });
  return visits;
}
