/** The arrow of a directed line: which way A to B goes and where its sides are. */
import type { Point } from "@huishi/kernel";

export interface LineArrow {
  readonly middle: Point;
  /** Unit vector from A to B. */
  readonly along: Point;
  /** Unit vector to the right-hand side of somebody who walks from A to B, as the picture shows it. */
  readonly right: Point;
}

/** In pixels, y growing downwards: right of (dx, dy) is (-dy, dx). Null when the ends are the same pixel. */
export function lineArrow(a: Point, b: Point): LineArrow | null {
  const dx = b.x - a.x;
  const dy = b.y - a.y;
  const length = Math.hypot(dx, dy);
  if (length < 1) return null;
  const along = { x: dx / length, y: dy / length };
  return { middle: { x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 }, along, right: { x: -along.y, y: along.x } };
}
