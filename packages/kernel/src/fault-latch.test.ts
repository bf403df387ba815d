import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { FaultLatch, type Finding } from "./fault-latch.ts";

const LIMITS = { enterMs: 20, enterSamples: 3, exitMs: 10, exitSamples: 2 };
const findings = fc.array(
  fc.record({
    finding: fc.constantFrom<Finding>("bad", "good", "between", "unknown"),
    stepMs: fc.integer({ min: 0, max: 15 }),
  }),
  { maxLength: 60 },
);

describe("FaultLatch", () => {
  test("tells a fault from its first bad sample, and takes it back after good ones", () => {
    const latch = new FaultLatch(LIMITS);
    for (const atMs of [0, 10, 20]) latch.observe("bad", atMs);
    expect(latch.sinceMs).toBe(0);
    latch.observe("good", 30);
    expect(latch.sinceMs).toBe(0);
    latch.observe("good", 40);
    expect(latch.sinceMs).toBeNull();
  });

  test("turns only after an unbroken run that is long enough, whatever comes", () => {
    fc.assert(
      fc.property(findings, (list) => {
        const latch = new FaultLatch(LIMITS);
        let atMs = 0;
        let run = { finding: "unknown" as Finding, fromMs: 0, count: 0 };
        for (const { finding, stepMs } of list) {
          atMs += stepMs;
          const wasOn = latch.sinceMs !== null;
          if (finding !== "unknown") {
            run =
              run.finding === finding
                ? { ...run, count: run.count + 1 }
                : { finding, fromMs: atMs, count: 1 };
          }
          latch.observe(finding, atMs);
          const isOn = latch.sinceMs !== null;
          if (isOn === wasOn) continue;
          expect(finding).toBe(isOn ? "bad" : "good");
          expect(run.count).toBeGreaterThanOrEqual(isOn ? LIMITS.enterSamples : LIMITS.exitSamples);
          expect(atMs - run.fromMs).toBeGreaterThanOrEqual(isOn ? LIMITS.enterMs : LIMITS.exitMs);
        }
      }),
    );
  });
});
