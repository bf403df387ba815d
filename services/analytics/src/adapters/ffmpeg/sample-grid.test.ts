import fc from "fast-check";
import { expect, test } from "vitest";
import { SampleGrid } from "./sample-grid.ts";

test("takes the first picture of each interval, whatever the camera's rate", () => {
  const grid = new SampleGrid(5);
  const taken = [0, 40, 80, 120, 160, 200, 240, 430, 590, 600, 799].filter((ptsMs) => grid.isSample(ptsMs));
  expect(taken).toEqual([0, 200, 430, 600]);
});

test("never more than so many a second, and none is lost while pictures come often enough", () => {
  fc.assert(
    fc.property(
      fc.constantFrom(1, 2, 3, 5, 7, 10),
      fc.array(fc.integer({ min: 1, max: 90 }), { minLength: 50, maxLength: 300 }),
      (fps, steps) => {
        const grid = new SampleGrid(fps);
        let ptsMs = 0;
        let samples = 0;
        for (const step of steps) {
          ptsMs += step;
          if (grid.isSample(ptsMs)) samples++;
        }
        const intervals = (ptsMs / 1000) * fps;
        expect(samples).toBeLessThanOrEqual(Math.ceil(intervals) + 1);
        expect(samples).toBeGreaterThanOrEqual(Math.floor(intervals) - 1);
      },
    ),
  );
});
