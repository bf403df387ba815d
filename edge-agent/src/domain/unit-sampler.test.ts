import { strongerSampling } from "@huishi/contracts";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { UnitSampler } from "./unit-sampler.ts";

const stream = (count: number, gop: number, disposableEvery = 0) =>
  Array.from({ length: count }, (_, i) => ({
    keyframe: i % gop === 0,
    disposable: disposableEvery > 0 && i % gop !== 0 && i % disposableEvery === 0,
    capturedAtMs: i * 40,
  }));
const taken = (sampler: UnitSampler, units: ReturnType<typeof stream>) =>
  units.flatMap((unit, i) => (sampler.takes(unit) ? [i] : []));

describe("UnitSampler", () => {
  test("takes everything, or keyframes alone", () => {
    expect(taken(new UnitSampler({ kind: "all" }), stream(10, 5))).toHaveLength(10);
    expect(taken(new UnitSampler({ kind: "keyframes" }), stream(12, 5))).toEqual([0, 5, 10]);
  });

  test("takes keyframes alone for a low rate as soon as it knows that they come often enough", () => {
    expect(taken(new UnitSampler({ kind: "fps", fps: 5 }), stream(25, 5)).slice(-3)).toEqual([10, 15, 20]);
    // Two seconds between keyframes are too few for one frame a second: everything is needed.
    expect(taken(new UnitSampler({ kind: "fps", fps: 1 }), stream(100, 50))).toHaveLength(100);
  });

  test("leaves out what nobody leans on beyond the rate", () => {
    const units = stream(100, 50, 2);
    const kept = taken(new UnitSampler({ kind: "fps", fps: 5 }), units);
    expect(kept.length).toBeLessThan(100);
    expect(units.every((unit, i) => unit.disposable || kept.includes(i))).toBe(true);
  });

  test("changes its mind at keyframes only", () => {
    const sampler = new UnitSampler({ kind: "keyframes" });
    const units = stream(20, 10);
    const kept = units.flatMap((unit, i) => {
      if (i === 5) sampler.sampling = { kind: "all" };
      return sampler.takes(unit) ? [i] : [];
    });
    expect(kept).toEqual([0, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19]);
  });
});

test("of two samplings the stronger satisfies both", () => {
  const sampling = fc.oneof(
    fc.constant({ kind: "all" } as const),
    fc.constant({ kind: "keyframes" } as const),
    fc.integer({ min: 1, max: 25 }).map((fps) => ({ kind: "fps", fps }) as const),
  );
  fc.assert(
    fc.property(sampling, sampling, (a, b) => {
      const both = taken(new UnitSampler(strongerSampling(a, b)), stream(200, 10));
      for (const one of [a, b]) {
        const alone = taken(new UnitSampler(one), stream(200, 10));
        expect(alone.every((i) => both.includes(i))).toBe(true);
      }
      expect(strongerSampling(a, b)).toEqual(strongerSampling(b, a));
    }),
  );
});
