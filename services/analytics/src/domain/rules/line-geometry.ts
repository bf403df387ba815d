import { type Point, cross } from "@huishi/kernel";

/**
 * Crossings of a step over a directed line of one or more segments: left to right minus right to left. A point on
 * the line counts as right of it, so that a path that touches the line or runs through a corner is counted
 * exactly once when it ends on the other side, and not at all when it turns back.
 */
export function netCrossings(from: Point, to: Point, line: readonly Point[]): number {
  let net = 0;
  for (let i = 1; i < line.length; i++) {
    const a = line[i - 1]!;
    const b = line[i]!;
    const right = cross(a, b, to) >= 0;
    if (cross(a, b, from) >= 0 === right) continue;
    if (cross(from, to, a) >= 0 === cross(from, to, b) >= 0) continue;
    net += right ? 1 : -1;
  }
  return net;
}

/** Distance of a point from the nearest point of the line. */
export function distanceToLine(point: Point, line: readonly Point[]): number {
  let nearest = Infinity;
  for (let i = 1; i < line.length; i++) {
    const a = line[i - 1]!;
    const b = line[i]!;
    const dx = b.x - a.x;
    const dy = b.y - a.y;
    const length = dx * dx + dy * dy;
    const along = length === 0 ? 0 : ((point.x - a.x) * dx + (point.y - a.y) * dy) / length;
    const t = Math.max(0, Math.min(1, along));
    nearest = Math.min(nearest, Math.hypot(point.x - a.x - t * dx, point.y - a.y - t * dy));
  }
  return nearest;
}
