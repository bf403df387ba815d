import { polygonArea } from "@huishi/kernel";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { SQUARE, ruleOf, trackAt } from "../test-support/rules.ts";
import { RuleEngine } from "./rule-engine.ts";
import { areaInBox, ZoneTest } from "./zone-test.ts";

const T0 = 1_700_000_000_000;
const SQUARE_POINTS = SQUARE.points;

describe("areaInBox", () => {
  it("gives the shared area of a polygon and a box", () => {
    expect(areaInBox(SQUARE_POINTS, { x: 0.6, y: 0.6, w: 0.2, h: 0.2 })).toBeCloseTo(0.01, 12);
    expect(areaInBox(SQUARE_POINTS, { x: 0, y: 0, w: 1, h: 1 })).toBeCloseTo(0.16, 12);
    expect(areaInBox(SQUARE_POINTS, { x: 0.8, y: 0.8, w: 0.1, h: 0.1 })).toBe(0);
  });

  it("takes a concave polygon with two arms into account", () => {
    const horseshoe = [
      { x: 0, y: 0 },
      { x: 0.2, y: 0 },
      { x: 0.2, y: 0.8 },
      { x: 0.8, y: 0.8 },
      { x: 0.8, y: 0 },
      { x: 1, y: 0 },
      { x: 1, y: 1 },
      { x: 0, y: 1 },
    ];
    expect(areaInBox(horseshoe, { x: 0, y: 0, w: 1, h: 0.5 })).toBeCloseTo(0.2, 12);
  });

  it("is shared out completely between boxes that tile the picture", () => {
    const corner = fc.record({
      x: fc.double({ min: 0, max: 1, noNaN: true }),
      y: fc.double({ min: 0, max: 1, noNaN: true }),
    });
    fc.assert(
      fc.property(corner, corner, corner, fc.double({ min: 0.1, max: 0.9, noNaN: true }), (a, b, c, cut) => {
        const triangle = [a, b, c];
        const left = areaInBox(triangle, { x: 0, y: 0, w: cut, h: 1 });
        const right = areaInBox(triangle, { x: cut, y: 0, w: 1 - cut, h: 1 });
        expect(left + right).toBeCloseTo(polygonArea(triangle), 9);
      }),
    );
  });
});

describe("ZoneTest", () => {
  const besideIt = { x: 0.6, y: 0.5, w: 0.2, h: 0.3 };

  it("goes by the foot point unless told otherwise", () => {
    expect(new ZoneTest({}, SQUARE_POINTS).holds(besideIt)).toBe(false);
    expect(
      new ZoneTest({ inZoneBy: "foot_point" }, SQUARE_POINTS).holds({ ...besideIt, h: 0.1, w: 0.1 }),
    ).toBe(true);
  });

  it("has in a polygon that is drawn to the picture's edge who is cut by that edge", () => {
    const toTheEdge = SQUARE_POINTS.map(({ x, y }) => ({ x: x > 0.5 ? 1 : x, y: y > 0.5 ? 1 : y }));
    expect(new ZoneTest({}, toTheEdge).holds({ x: 0.4, y: 0.8, w: 0.1, h: 0.2 })).toBe(true);
    expect(new ZoneTest({}, toTheEdge).holds({ x: 1, y: 0.8, w: 0, h: 0.2 })).toBe(true);
  });

  it("goes by the share of the box in the polygon where the rule says so", () => {
    // A third of the box lies in the square.
    const holds = (overlapShare?: number) =>
      new ZoneTest({ inZoneBy: "overlap", ...(overlapShare && { overlapShare }) }, SQUARE_POINTS).holds(
        besideIt,
      );
    expect(holds(0.3)).toBe(true);
    expect(holds(0.4)).toBe(false);
    expect(holds()).toBe(false);
  });

  it("holds for intrusion, dwell and count_over alike", () => {
    const box = { x: 0.55, y: 0.55, w: 0.2, h: 0.2 };
    for (const kind of ["intrusion", "dwell", "count_over", "loitering"] as const) {
      const settings = {
        inZoneBy: "overlap",
        overlapShare: 0.5,
        persistenceMs: 1_000,
        threshold: 0,
      } as const;
      const engine = new RuleEngine([ruleOf(kind, settings)], [SQUARE]);
      const byFoot = new RuleEngine([ruleOf(kind, { persistenceMs: 1_000 })], [SQUARE]);
      const types: string[] = [];
      for (let t = 0; t <= 3_000; t += 200) {
        const track = trackAt(1, 0, 0, { box, stationarySinceMs: T0 });
        types.push(...engine.update([track], T0 + t).map(({ type }) => type));
        expect(byFoot.update([track], T0 + t)).toEqual([]);
      }
      expect(types).toEqual(["raised"]);
    }
  });
});
