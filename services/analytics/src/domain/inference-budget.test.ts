import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { InferenceBudget, InferenceCredit } from "./inference-budget.ts";

interface Load {
  readonly cameras: number;
  readonly framesPerSecond: number;
  /** Inferences that a frame would like. */
  readonly wanted: number;
  readonly inferenceMs: number;
  readonly frameMs: number;
}

/** A process that works its frames off one after the other, in simulated time. */
function simulate(
  load: Load,
  seconds: number,
): { spent: number[][]; longestWaitMs: number; perFrame: number } {
  const budget = new InferenceBudget();
  const credits = Array.from({ length: load.cameras }, () => new InferenceCredit(budget));
  const spent = credits.map((): number[] => []);
  let nowMs = 0;
  let longestWaitMs = 0;
  for (let frame = 0; frame < seconds * load.framesPerSecond; frame++) {
    for (const [camera, credit] of credits.entries()) {
      const dueMs = ((frame + camera / load.cameras) * 1000) / load.framesPerSecond;
      nowMs = Math.max(nowMs, dueMs);
      const waitedMs = nowMs - dueMs;
      const inferences = Math.min(load.wanted, credit.next(waitedMs));
      credit.spend(inferences);
      spent[camera]?.push(inferences);
      const busyMs = load.frameMs + inferences * load.inferenceMs;
      nowMs += busyMs;
      budget.spent({ busyMs, waitedMs, atMs: nowMs });
      if (frame > 5 * load.framesPerSecond) longestWaitMs = Math.max(longestWaitMs, waitedMs);
    }
  }
  return { spent, longestWaitMs, perFrame: budget.perFrame };
}

const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

describe("inference budget", () => {
  it("refuses nothing while there is time", () => {
    const { spent } = simulate({ cameras: 4, framesPerSecond: 5, wanted: 3, inferenceMs: 8, frameMs: 2 }, 60);
    for (const camera of spent) expect(mean(camera.slice(150))).toBe(3);
  });

  it("gives up looks, not frames: waits stay short whatever the load that frames alone do not fill", () => {
    fc.assert(
      fc.property(
        fc.record({
          cameras: fc.integer({ min: 1, max: 40 }),
          framesPerSecond: fc.constantFrom(1, 5, 10),
          wanted: fc.integer({ min: 1, max: 4 }),
          inferenceMs: fc.integer({ min: 3, max: 40 }),
          frameMs: fc.integer({ min: 1, max: 3 }),
        }),
        (load) => {
          const leastShare =
            ((load.cameras * load.framesPerSecond) / 1000) * (load.frameMs + 0.3 * load.inferenceMs);
          fc.pre(leastShare < 0.7);
          const { longestWaitMs } = simulate(load, 40);
          expect(longestWaitMs).toBeLessThan(600);
        },
      ),
      { numRuns: 60 },
    );
  });

  it("shares alike: no camera gets more than its share while all want more", () => {
    const { spent } = simulate(
      { cameras: 30, framesPerSecond: 5, wanted: 3, inferenceMs: 10, frameMs: 1 },
      60,
    );
    const means = spent.map((camera) => mean(camera.slice(150)));
    expect(Math.max(...means) - Math.min(...means)).toBeLessThan(0.1);
    expect(mean(means)).toBeGreaterThan(0.3);
    expect(mean(means)).toBeLessThan(0.7);
  });

  it("lets a camera that saw nothing look closely when something comes", () => {
    const budget = new InferenceBudget();
    const credit = new InferenceCredit(budget);
    for (let i = 0; i < 10; i++) credit.next(0);
    expect(credit.next(0)).toBe(4);
    credit.spend(4);
    expect(credit.next(0)).toBe(1);
  });

  it("looks at nothing in a frame that has waited for long", () => {
    const credit = new InferenceCredit(new InferenceBudget());
    expect(credit.next(400)).toBe(0);
    expect(credit.next(0)).toBeGreaterThan(0);
  });
});
