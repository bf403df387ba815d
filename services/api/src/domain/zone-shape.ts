import type { ZoneKind } from "@huishi/contracts";
import { cross, HuishiError, type Point, polygonArea, segmentsCross } from "@huishi/kernel";

/** Smaller than this share of the picture, a polygon is a slip of the hand (about 10 x 10 pixels of 720p). */
const MIN_AREA = 1e-4;
const MIN_LINE_LENGTH = 0.005;

/**
 * Refuses shapes that no rule can stand on.
 *
 * @throws HuishiError ZONE_LINE_POINTS, ZONE_TOO_FEW_POINTS, ZONE_SELF_CROSSING or ZONE_TOO_SMALL
 */
export function checkZoneShape(kind: ZoneKind, points: readonly Point[]): void {
  if (kind === "line") checkLine(points);
  else checkPolygon(points);
}

function checkLine(points: readonly Point[]): void {
  const [a, b] = points;
  if (a === undefined || b === undefined || points.length !== 2) {
    throw new HuishiError("ZONE_LINE_POINTS", "A line has exactly two points, A and B; give two.", {
      details: { field: "points", given: points.length },
    });
  }
  if (Math.hypot(a.x - b.x, a.y - b.y) < MIN_LINE_LENGTH) {
    throw new HuishiError("ZONE_TOO_SMALL", "The line is too short to be crossed; draw it longer.", {
      details: { field: "points" },
    });
  }
}

function checkPolygon(points: readonly Point[]): void {
  if (points.length < 3) {
    throw new HuishiError("ZONE_TOO_FEW_POINTS", "A polygon needs at least three corners; add more.", {
      details: { field: "points", given: points.length },
    });
  }
  const crossing = firstCrossing(points);
  if (crossing !== null) {
    throw new HuishiError(
      "ZONE_SELF_CROSSING",
      `The polygon's edges ${crossing[0] + 1} and ${crossing[1] + 1} cross or touch; move a corner so that they do not.`,
      { details: { field: "points", edges: crossing } },
    );
  }
  if (polygonArea(points) < MIN_AREA) {
    throw new HuishiError("ZONE_TOO_SMALL", "The polygon has almost no area; draw it larger.", {
      details: { field: "points" },
    });
  }
}

/** Indices of the first two edges that cross or touch other than neighbours at their shared corner, or null. */
export function firstCrossing(points: readonly Point[]): [number, number] | null {
  const n = points.length;
  const corner = (i: number): Point => points[i % n] as Point;
  for (let i = 0; i < n; i++) {
    for (let j = i + 1; j < n; j++) {
      const isNext = j === i + 1;
      const isPrevious = i === 0 && j === n - 1;
      const touch = isNext
        ? foldsBack(corner(i), corner(j), corner(j + 1))
        : isPrevious
          ? foldsBack(corner(j), corner(0), corner(1))
          : segmentsMeet(corner(i), corner(i + 1), corner(j), corner(j + 1));
      if (touch) return [i, j];
    }
  }
  return null;
}

/** Does b->c run back over a->b? True also for repeated corners. */
function foldsBack(a: Point, b: Point, c: Point): boolean {
  if (cross(a, b, c) !== 0) return false;
  return (a.x - b.x) * (c.x - b.x) + (a.y - b.y) * (c.y - b.y) >= 0;
}

function segmentsMeet(p1: Point, p2: Point, q1: Point, q2: Point): boolean {
  return (
    segmentsCross(p1, p2, q1, q2) ||
    isOnSegment(q1, p1, p2) ||
    isOnSegment(q2, p1, p2) ||
    isOnSegment(p1, q1, q2) ||
    isOnSegment(p2, q1, q2)
  );
}

function isOnSegment(point: Point, a: Point, b: Point): boolean {
  return (
    cross(a, b, point) === 0 &&
    Math.min(a.x, b.x) <= point.x &&
    point.x <= Math.max(a.x, b.x) &&
    Math.min(a.y, b.y) <= point.y &&
    point.y <= Math.max(a.y, b.y)
  );
}
