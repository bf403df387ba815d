import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { CaptureClock } from "./capture-clock.ts";

const START = 1_700_000_000_000;

describe("CaptureClock", () => {
  test("spreads units that arrived in one burst over the time they were taken in", () => {
    const clock = new CaptureClock();
    expect(clock.capture([0, 40, 80, 120], START)).toEqual([START - 120, START - 80, START - 40, START]);
  });

  test("hides network jitter: capture times keep the distance of the presentation times", () => {
    const clock = new CaptureClock();
    const delays = [0, 35, 5, 90, 12, 60, 3, 120, 8, 44];
    const times = delays.map((delay, i) => clock.capture([i * 40], START + i * 40 + delay)[0] as number);
    for (let i = 1; i < times.length; i++) expect((times[i] as number) - (times[i - 1] as number)).toBe(40);
  });

  test("follows a camera whose clock runs slow, without steps", () => {
    const clock = new CaptureClock();
    let last = 0;
    let error = 0;
    for (let i = 0; i < 25 * 120; i++) {
      const trueMs = START + i * 40;
      const pts = i * 40 * (1 - 100e-6);
      const [captured] = clock.capture([pts], trueMs) as [number];
      if (i > 0) expect(Math.abs(captured - last - 40)).toBeLessThanOrEqual(2);
      last = captured;
      error = trueMs - captured;
    }
    expect(error).toBeLessThanOrEqual(3);
  });

  test("takes a new base when the camera starts its clock again", () => {
    const clock = new CaptureClock();
    clock.capture([5_000_000], START);
    expect(clock.capture([0], START + 40)).toEqual([START + 40]);
    expect(clock.capture([9_000_000], START + 80)).toEqual([START + 80]);
  });

  test("follows the agent's clock when it is set forward, within two windows", () => {
    const clock = new CaptureClock();
    for (let i = 0; i < 100; i++) clock.capture([i * 40], START + i * 40);
    let error = Number.NaN;
    for (let i = 100; i < 700; i++) {
      const nowMs = START + 3_600_000 + i * 40;
      error = nowMs - (clock.capture([i * 40], nowMs)[0] as number);
    }
    expect(error).toBeLessThanOrEqual(1);
  });

  test("never gives a time in the future, nor one before the last, whatever comes", () => {
    const step = fc.record({
      arrivalStep: fc.integer({ min: 0, max: 5_000 }),
      pts: fc.array(fc.integer({ min: 0, max: 10_000_000 }), { minLength: 1, maxLength: 5 }),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 50 }), (steps) => {
        const clock = new CaptureClock();
        let nowMs = START;
        let last = 0;
        for (const { arrivalStep, pts } of steps) {
          nowMs += arrivalStep;
          for (const captured of clock.capture(pts, nowMs)) {
            expect(captured).toBeLessThanOrEqual(nowMs);
            expect(captured).toBeGreaterThanOrEqual(last);
            last = captured;
          }
        }
      }),
    );
  });
});
