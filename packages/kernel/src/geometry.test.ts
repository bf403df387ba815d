import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { cross, footPoint, iou, isInsidePolygon, isSelfCrossing, segmentsCross } from "./geometry.ts";

const square = [
  { x: 0.2, y: 0.2 },
  { x: 0.8, y: 0.2 },
  { x: 0.8, y: 0.8 },
  { x: 0.2, y: 0.8 },
];
const fraction = fc.double({ min: 0, max: 1, noNaN: true });
const point = fc.record({ x: fraction, y: fraction });
/** On a grid the cross products are exact. */
const gridValue = fc.integer({ min: 0, max: 16 }).map((n) => n / 16);
const gridPoint = fc.record({ x: gridValue, y: gridValue });

describe("geometry", () => {
  it("finds the foot point in the middle of the lower edge", () => {
    expect(footPoint({ x: 0.25, y: 0.25, w: 0.5, h: 0.25 })).toEqual({ x: 0.5, y: 0.5 });
  });

  it("agrees with plain comparison for a square", () => {
    fc.assert(
      fc.property(point, ({ x, y }) => {
        fc.pre(![x, y].some((v) => Math.abs(v - 0.2) < 1e-9 || Math.abs(v - 0.8) < 1e-9));
        return isInsidePolygon({ x, y }, square) === (x > 0.2 && x < 0.8 && y > 0.2 && y < 0.8);
      }),
    );
  });

  it("knows a bow tie from a square", () => {
    expect(isSelfCrossing(square)).toBe(false);
    expect(isSelfCrossing([square[0]!, square[2]!, square[1]!, square[3]!])).toBe(true);
  });

  it("has the right side of a line that runs up the picture on the picture's right", () => {
    expect(cross({ x: 0.5, y: 0.9 }, { x: 0.5, y: 0.1 }, { x: 0.7, y: 0.5 })).toBeGreaterThan(0);
  });

  it("sees segments cross whichever way round they are given", () => {
    fc.assert(
      fc.property(
        gridPoint,
        gridPoint,
        gridPoint,
        gridPoint,
        (a, b, c, d) => segmentsCross(a, b, c, d) === segmentsCross(d, c, b, a),
      ),
    );
  });

  it("gives 1 for a box with itself and 0 for boxes apart", () => {
    const box = { x: 0.1, y: 0.1, w: 0.2, h: 0.3 };
    expect(iou(box, box)).toBeCloseTo(1);
    expect(iou(box, { ...box, x: 0.5 })).toBe(0);
  });
});
