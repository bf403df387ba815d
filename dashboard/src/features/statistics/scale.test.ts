import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { bandAt, bandOf, bucketsOf, labelled, niceMax, plotOf, yOf } from "./scale.ts";

describe("the top of a chart", () => {
  it("is a round number that no value passes, and not far above", () => {
    fc.assert(
      fc.property(fc.double({ min: 1e-3, max: 1e9, noNaN: true }), (value) => {
        expect(niceMax(value)).toBeGreaterThanOrEqual(value * (1 - 1e-9));
        expect(niceMax(value)).toBeLessThanOrEqual(value * 2.5000001);
      }),
    );
    expect([0, -3, Number.NaN].map(niceMax)).toEqual([1, 1, 1]);
    const plot = plotOf(300);
    expect(yOf(plot, 0, 10)).toBe(plot.height - plot.bottom);
    expect(yOf(plot, 10, 10)).toBe(plot.top);
  });
});

describe("bands", () => {
  it("are found again under their own middle", () => {
    fc.assert(
      fc.property(fc.integer({ min: 200, max: 2_000 }), fc.integer({ min: 1, max: 400 }), (width, count) => {
        const plot = plotOf(width);
        for (const index of [0, count >> 1, count - 1]) {
          const band = bandOf(plot, index, count);
          expect(bandAt(plot, band.x + band.width / 2, count)).toBe(index);
        }
        expect(bandAt(plot, plot.left - 1, count)).toBeNull();
        expect(bandAt(plot, width, count)).toBeNull();
      }),
    );
  });

  it("have labels that leave each other room", () => {
    const plot = plotOf(400);
    expect(labelled(plot, 24, 60).length).toBeLessThanOrEqual(6);
    expect(labelled(plot, 0, 60)).toEqual([]);
  });
});

describe("buckets", () => {
  it("fill the range", () => {
    expect(bucketsOf({ fromMs: 0, toMs: 7_200_000 }, "hour")).toEqual([0, 3_600_000]);
    expect(bucketsOf({ fromMs: 0, toMs: 120_000 }, "minute")).toEqual([0, 60_000]);
    const midnight = new Date(2026, 10, 1).getTime();
    expect(
      bucketsOf({ fromMs: midnight, toMs: midnight + 3 * 86_400_000 }, "day").length,
    ).toBeGreaterThanOrEqual(3);
  });
});
