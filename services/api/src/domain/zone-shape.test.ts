import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { polygonArea } from "@huishi/kernel";
import { checkZoneShape, firstCrossing } from "./zone-shape.ts";

const p = (x: number, y: number): { x: number; y: number } => ({ x, y });

describe("the shape of a zone", () => {
  it("may be any simple polygon, convex or not, in either direction", () => {
    const arrow = [p(0.1, 0.1), p(0.5, 0.4), p(0.9, 0.1), p(0.5, 0.9)];
    expect(() => checkZoneShape("polygon", arrow)).not.toThrow();
    expect(() => checkZoneShape("polygon", arrow.toReversed())).not.toThrow();
  });

  it.each([
    ["edges cross", [p(0.1, 0.1), p(0.5, 0.5), p(0.5, 0.1), p(0.1, 0.5)]],
    ["a corner lies on another edge", [p(0.1, 0.1), p(0.9, 0.1), p(0.9, 0.9), p(0.5, 0.1)]],
    ["a corner is repeated", [p(0.1, 0.1), p(0.1, 0.1), p(0.9, 0.1), p(0.5, 0.9)]],
    ["an edge runs back over the one before", [p(0.1, 0.1), p(0.9, 0.1), p(0.5, 0.1)]],
  ])("is refused when %s", (_name, points) => {
    expect(() => checkZoneShape("polygon", points)).toThrow(
      expect.objectContaining({ code: "ZONE_SELF_CROSSING" }),
    );
  });

  it("is refused when it is too small to be meant", () => {
    const tiny = [p(0.5, 0.5), p(0.505, 0.5), p(0.5, 0.505)];
    expect(() => checkZoneShape("polygon", tiny)).toThrow(
      expect.objectContaining({ code: "ZONE_TOO_SMALL" }),
    );
    expect(() => checkZoneShape("line", [p(0.5, 0.5), p(0.5, 0.5)])).toThrow(
      expect.objectContaining({ code: "ZONE_TOO_SMALL" }),
    );
  });

  it("never crosses itself when its corners go once around a point", () => {
    const radii = fc.array(fc.double({ min: 0.1, max: 0.45, noNaN: true }), { minLength: 3, maxLength: 32 });
    fc.assert(
      fc.property(radii, (lengths) => {
        const star = lengths.map((radius, i) => {
          const angle = (2 * Math.PI * i) / lengths.length;
          return p(0.5 + radius * Math.cos(angle), 0.5 + radius * Math.sin(angle));
        });
        expect(firstCrossing(star)).toBeNull();
        expect(polygonArea(star)).toBeGreaterThan(0);
      }),
    );
  });
});
