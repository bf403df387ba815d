import fc from "fast-check";
import { expect, test } from "vitest";
import { limit } from "../../test-support/sensors.ts";
import { Threshold, type ThresholdChange } from "./threshold.ts";

/** Plays values one second apart; gives what changed, as `+` or `-` and the second. */
function played(threshold: Threshold, values: readonly number[]): string[] {
  return values.flatMap((value, second) => {
    const change = threshold.take(value, second * 1_000, second * 1_000);
    return change ? [`${change.active ? "+" : "-"}${change.atMs / 1_000}`] : [];
  });
}

test("above is entered at the limit and left below it", () => {
  expect(played(new Threshold(limit()), [14.9, 15, 15, 14.99])).toEqual(["-0", "+1", "-3"]);
});

test("below is entered at the limit and left above it", () => {
  expect(played(new Threshold(limit({ when: "below" })), [16, 15, 15.01])).toEqual(["-0", "+1", "-2"]);
});

test("with hysteresis it ends at clearAt exactly and in between nothing changes", () => {
  const threshold = new Threshold(limit({ clearAt: 10 }));
  expect(played(threshold, [12, 15, 12, 10.01, 10, 12, 14.9, 15])).toEqual(["+1", "-4", "+7"]);
});

test("it must hold before it is raised and before it is cleared; a dip begins anew", () => {
  const threshold = new Threshold(limit({ holdMs: 3_000 }));
  expect(played(threshold, [0, 20, 20, 10, 20, 20, 20, 20, 10, 20, 10, 10, 10, 10])).toEqual([
    "-0",
    "+7",
    "-13",
  ]);
});

test("a sensor that speaks on change only is raised by time alone, at the time when it had held", () => {
  const threshold = new Threshold(limit({ holdMs: 30_000 }));
  expect(threshold.take(62, 1_000, 1_500)).toBeNull();
  expect(threshold.tick(31_000)).toBeNull();
  expect(threshold.tick(32_000)).toEqual({ active: true, atMs: 31_000, value: 62 });
});

test("what was to be held is forgotten when the values stop", () => {
  const threshold = new Threshold(limit({ holdMs: 30_000 }));
  threshold.take(62, 0, 0);
  threshold.forget();
  expect(threshold.tick(60_000)).toBeNull();
});

test("three raises within a minute are chattering: then it ends only after a quiet minute", () => {
  const threshold = new Threshold(limit());
  const values = [0, 20, 0, 20, 0, 20, ...Array<number>(70).fill(0)];
  expect(played(threshold, values)).toEqual(["-0", "+1", "-2", "+3", "-4", "+5", "-61"]);
});

test("whatever comes, moves alternate, are justified by the value, and never come sooner than they may", () => {
  const definition = fc.record({
    when: fc.constantFrom("above" as const, "below" as const),
    hysteresis: fc.integer({ min: 0, max: 5 }),
    holdMs: fc.constantFrom(0, 1_000, 5_000),
  });
  const steps = fc.array(
    fc.record({ value: fc.integer({ min: 0, max: 30 }), gapMs: fc.integer({ min: 0, max: 4_000 }) }),
  );
  fc.assert(
    fc.property(definition, steps, ({ when, hysteresis, holdMs }, values) => {
      const clearAt = when === "above" ? 15 - hysteresis : 15 + hysteresis;
      const threshold = new Threshold(limit({ when, clearAt, holdMs }));
      let nowMs = 0;
      let enteredAtMs: number | null = null;
      let last: ThresholdChange | null = null;
      for (const { value, gapMs } of values) {
        nowMs += gapMs;
        const isIn = when === "above" ? value >= 15 : value <= 15;
        const isOut = !isIn && (hysteresis === 0 || (when === "above" ? value <= clearAt : value >= clearAt));
        enteredAtMs = isIn ? (enteredAtMs ?? nowMs) : null;
        const change = threshold.take(value, nowMs, nowMs);
        if (change) {
          expect(change.active ? isIn : isOut).toBe(true);
          expect(change.active).not.toBe(last?.active);
          if (change.active) expect(nowMs - (enteredAtMs ?? Infinity)).toBeGreaterThanOrEqual(holdMs);
          last = change;
        }
        expect(threshold.active).toBe(last?.active ?? false);
        // Without a time to hold, what is clear is told at once.
        if (holdMs === 0 && isIn) expect(threshold.active).toBe(true);
      }
    }),
  );
});
