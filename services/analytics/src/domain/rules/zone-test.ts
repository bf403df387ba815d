import type { Rule } from "@huishi/contracts";
import { type Box, footPoint, isInsidePolygon, type Point } from "@huishi/kernel";

const DEFAULT_OVERLAP = 0.5;
/** Boxes are cut at the picture's edge, and the edge itself is outside of every polygon: who stands there is just before it. */
const LAST = 1 - 1e-6;

/** Whether an object is in a rule's polygon: its foot point is, or enough of its box. */
export class ZoneTest {
  readonly polygon: readonly Point[];
  /** The polygon's bounding box, to be done with most objects at once. */
  private readonly left: number;
  private readonly right: number;
  private readonly top: number;
  private readonly bottom: number;
  /** Share of a box that must lie in the polygon; null: the foot point decides. */
  private readonly overlap: number | null;

  constructor(rule: Pick<Rule, "inZoneBy" | "overlapShare">, polygon: readonly Point[]) {
    this.polygon = polygon;
    this.left = Math.min(...polygon.map(({ x }) => x));
    this.right = Math.max(...polygon.map(({ x }) => x));
    this.top = Math.min(...polygon.map(({ y }) => y));
    this.bottom = Math.max(...polygon.map(({ y }) => y));
    this.overlap = rule.inZoneBy === "overlap" ? (rule.overlapShare ?? DEFAULT_OVERLAP) : null;
  }

  holds(box: Box): boolean {
    if (this.overlap !== null) return this.holdsShare(box, this.overlap);
    const foot = footPoint(box);
    const x = Math.min(foot.x, LAST);
    const y = Math.min(foot.y, LAST);
    if (x < this.left || x > this.right || y < this.top || y > this.bottom) return false;
    return isInsidePolygon({ x, y }, this.polygon);
  }

  /** Does at least this share of the box lie in the polygon? */
  holdsShare(box: Box, share: number): boolean {
    const apart =
      box.x > this.right || box.x + box.w < this.left || box.y > this.bottom || box.y + box.h < this.top;
    if (apart || box.w <= 0 || box.h <= 0) return false;
    return areaInBox(this.polygon, box) >= share * box.w * box.h;
  }
}

/**
 * Area of the polygon within the box: the polygon is cut at the box's four sides in turn (Sutherland and Hodgman
 * 1974). A concave polygon may come out with pieces that are joined along a side; those joints have no area.
 */
export function areaInBox(polygon: readonly Point[], { x, y, w, h }: Box): number {
  let points = flat(polygon);
  points = cutAt(points, { axis: 0, limit: x, keepAbove: true });
  points = cutAt(points, { axis: 0, limit: x + w, keepAbove: false });
  points = cutAt(points, { axis: 1, limit: y, keepAbove: true });
  points = cutAt(points, { axis: 1, limit: y + h, keepAbove: false });
  let doubled = 0;
  for (let i = 0, j = points.length - 2; i < points.length; j = i, i += 2) {
    doubled += points[j]! * points[i + 1]! - points[i]! * points[j + 1]!;
  }
  return Math.abs(doubled) / 2;
}

interface Side {
  /** 0: x, 1: y. */
  readonly axis: 0 | 1;
  readonly limit: number;
  readonly keepAbove: boolean;
}

/** Coordinates one after the other: x, y, x, y. */
function flat(polygon: readonly Point[]): number[] {
  const coordinates: number[] = [];
  for (const { x, y } of polygon) coordinates.push(x, y);
  return coordinates;
}

function cutAt(points: readonly number[], { axis, limit, keepAbove }: Side): number[] {
  const kept: number[] = [];
  for (let i = 0, j = points.length - 2; i < points.length; j = i, i += 2) {
    const here = points[i + axis]!;
    const before = points[j + axis]!;
    const isIn = keepAbove ? here >= limit : here <= limit;
    const wasIn = keepAbove ? before >= limit : before <= limit;
    if (isIn !== wasIn) {
      const share = (limit - before) / (here - before);
      const other = points[j + 1 - axis]! + share * (points[i + 1 - axis]! - points[j + 1 - axis]!);
      if (axis === 0) kept.push(limit, other);
      else kept.push(other, limit);
    }
    if (isIn) kept.push(points[i]!, points[i + 1]!);
  }
  return kept;
}
