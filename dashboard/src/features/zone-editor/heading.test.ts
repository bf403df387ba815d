import { describe, expect, it } from "vitest";
import { ahead, headingOf, middleOf, turnOf, wholeDegrees } from "./heading.ts";

const O = { x: 100, y: 100 };

describe("a heading in the picture", () => {
  it.each([
    [0, { x: 100, y: 50 }],
    [90, { x: 150, y: 100 }],
    [180, { x: 100, y: 150 }],
    [270, { x: 50, y: 100 }],
  ])("%i is where it points", (degrees, to) => {
    expect(headingOf(O, to)).toBe(degrees);
    const tip = ahead(O, degrees, 50);
    expect(tip.x).toBeCloseTo(to.x);
    expect(tip.y).toBeCloseTo(to.y);
  });

  it("is none between the same point", () => expect(headingOf(O, O)).toBeNull());

  it("stays within a turn", () => {
    expect([wholeDegrees(-1), wholeDegrees(360), wholeDegrees(359.6), wholeDegrees(725)]).toEqual([
      359, 0, 0, 5,
    ]);
  });

  it("is turned by arrow keys", () => {
    expect([turnOf("ArrowRight", false), turnOf("ArrowLeft", true), turnOf("a", false)]).toEqual([
      1,
      -15,
      null,
    ]);
  });

  it("stands in the middle of its zone", () => {
    expect(
      middleOf([
        { x: 0, y: 0 },
        { x: 1, y: 0 },
        { x: 1, y: 1 },
        { x: 0, y: 1 },
      ]),
    ).toEqual({ x: 0.5, y: 0.5 });
  });
});
