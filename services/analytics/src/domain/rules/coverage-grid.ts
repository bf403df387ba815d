import type { ObjectClass } from "@huishi/contracts";
import { type Box, isInsidePolygon, type Point } from "@huishi/kernel";
import { sameGroup } from "../class-group.ts";

/** Sample points along each side of the polygon's bounding box: a share is exact to about two hundredths. */
const SIDE = 32;
/**
 * The lower part of a box that stands on the ground. A vehicle is about as long as it is high, as cameras on masts see
 * it; of a person only the feet do.
 */
const VEHICLE_PART = 0.6;
const OTHER_PART = 0.25;

/** How much of a polygon is covered by the union of boxes' ground parts. */
export class CoverageGrid {
  private readonly left: number;
  private readonly top: number;
  private readonly stepX: number;
  private readonly stepY: number;
  /** Which sample points are in the polygon. */
  private readonly inside = new Uint8Array(SIDE * SIDE);
  private readonly covered = new Uint8Array(SIDE * SIDE);
  private readonly total: number;
  private count = 0;

  constructor(polygon: readonly Point[]) {
    this.left = Math.min(...polygon.map(({ x }) => x));
    this.top = Math.min(...polygon.map(({ y }) => y));
    this.stepX = (Math.max(...polygon.map(({ x }) => x)) - this.left) / SIDE;
    this.stepY = (Math.max(...polygon.map(({ y }) => y)) - this.top) / SIDE;
    let total = 0;
    for (let k = 0; k < this.inside.length; k++) {
      const x = this.left + ((k % SIDE) + 0.5) * this.stepX;
      const y = this.top + (Math.floor(k / SIDE) + 0.5) * this.stepY;
      if (!isInsidePolygon({ x, y }, polygon)) continue;
      this.inside[k] = 1;
      total++;
    }
    this.total = total;
  }

  clear(): void {
    this.covered.fill(0);
    this.count = 0;
  }

  /** Returns whether the box's ground part covers anything of the polygon. */
  cover(box: Box, objectClass: ObjectClass): boolean {
    const height = box.h * (sameGroup(objectClass, "car") ? VEHICLE_PART : OTHER_PART);
    const { from: fromX, to: toX } = this.range(box.x - this.left, box.w, this.stepX);
    const { from: fromY, to: toY } = this.range(box.y + box.h - height - this.top, height, this.stepY);
    let touches = false;
    for (let row = fromY; row < toY; row++) {
      for (let k = row * SIDE + fromX; k < row * SIDE + toX; k++) {
        if (this.inside[k] === 0) continue;
        touches = true;
        this.count += 1 - this.covered[k]!;
        this.covered[k] = 1;
      }
    }
    return touches;
  }

  /** 0..1. */
  coveredShare(): number {
    return this.total === 0 ? 0 : this.count / this.total;
  }

  /** Indices of the sample points between `start` and `start + length`, both from the grid's own begin. */
  private range(start: number, length: number, step: number): { from: number; to: number } {
    if (step === 0) return { from: 0, to: 0 };
    const from = Math.ceil(start / step - 0.5);
    const to = Math.ceil((start + length) / step - 0.5);
    return { from: Math.max(0, Math.min(SIDE, from)), to: Math.max(0, Math.min(SIDE, to)) };
  }
}
