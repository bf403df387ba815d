import * as fc from "fast-check";
import { expect, test } from "vitest";
import { UnitClock } from "./unit-clock.ts";

const fed = (capturedAtMs: number) => ({ capturedAtMs, fedAtMs: 0 });

test("stamps start at zero and follow the capture times", () => {
  const clock = new UnitClock();
  expect([1000, 1040, 1080].map((ms) => clock.stamp(fed(ms)))).toEqual([0, 40, 80]);
});

test("a camera clock that was set back or forward does not stop the stream", () => {
  const clock = new UnitClock();
  expect([100_000, 100_040, 20_000, 20_040, 900_000, 900_040].map((ms) => clock.stamp(fed(ms)))).toEqual([
    0, 40, 80, 120, 160, 200,
  ]);
});

test("whatever the camera's clock does, stamps rise and lead back to their unit", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 1_000_000 }), { maxLength: 100 }), (times) => {
      const clock = new UnitClock();
      const stamps = times.map((ms) => clock.stamp(fed(ms)));
      expect(stamps.every((stamp, i) => i === 0 || stamp > (stamps[i - 1] as number))).toBe(true);
      expect(stamps.map((stamp) => clock.take(stamp)?.capturedAtMs)).toEqual(times);
      expect(stamps.some((stamp) => clock.take(stamp))).toBe(false);
    }),
  );
});
