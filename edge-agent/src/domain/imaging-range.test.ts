import fc from "fast-check";
import { expect, test } from "vitest";
import { fromPercent, toPercent } from "./imaging-range.ts";

test("the ends of a range are 0 and 100", () => {
  for (const range of [
    { min: 0, max: 255 },
    { min: -1, max: 1 },
    { min: 0, max: 100 },
  ]) {
    expect([toPercent(range.min, range), toPercent(range.max, range)]).toEqual([0, 100]);
    expect([fromPercent(0, range), fromPercent(100, range)]).toEqual([range.min, range.max]);
  }
});

test("a range that is none gives nothing", () => {
  expect(toPercent(1, { min: 5, max: 5 })).toBeNull();
  expect(fromPercent(1, { min: Number.NaN, max: 5 })).toBeNull();
});

test("what was set is read again, within the camera's own steps", () => {
  const range = fc.record({
    min: fc.integer({ min: -1000, max: 0 }),
    max: fc.integer({ min: 1, max: 1000 }),
  });
  fc.assert(
    fc.property(range, fc.integer({ min: 0, max: 100 }), ({ min, max }, percent) => {
      const value = fromPercent(percent, { min, max }) as number;
      expect(value).toBeGreaterThanOrEqual(min);
      expect(value).toBeLessThanOrEqual(max);
      const step = 100 / (max - min);
      expect(Math.abs((toPercent(value, { min, max }) as number) - percent)).toBeLessThanOrEqual(step + 0.1);
    }),
  );
});
