import { describe, expect, it } from "vitest";
import { ManualClock } from "./clock.ts";
import { backoffDelayMs } from "./retry.ts";
import { supervise } from "./supervisor.ts";

const quick = { baseDelayMs: 1, maxDelayMs: 2, healthyAfterMs: 1000, random: () => 0 };

describe("supervise", () => {
  it("runs again after a failure and after a quiet end, until it is stopped", async () => {
    const stop = new AbortController();
    const failures: string[] = [];
    let runs = 0;
    await supervise(
      {
        name: "camera",
        run: async () => {
          runs += 1;
          if (runs === 1) throw new Error("refused");
          if (runs === 3) stop.abort();
        },
      },
      stop.signal,
      { ...quick, onFailure: ({ error }) => failures.push((error as Error).message) },
    );
    expect(runs).toBe(3);
    expect(failures).toEqual(["refused", "camera ended by itself"]);
  });

  it("counts attempts anew after a healthy run", async () => {
    const clock = new ManualClock(0);
    const stop = new AbortController();
    const attempts: number[] = [];
    let runs = 0;
    await supervise(
      {
        name: "camera",
        run: async () => {
          runs += 1;
          if (runs === 3) clock.advance(5000);
          if (runs === 4) stop.abort();
          throw new Error("gone");
        },
      },
      stop.signal,
      { ...quick, clock, onFailure: ({ attempt }) => attempts.push(attempt) },
    );
    expect(attempts).toEqual([0, 1, 0]);
  });

  it("ends at once when it is stopped during the pause", async () => {
    const stop = new AbortController();
    const ended = supervise({ name: "camera", run: () => Promise.reject(new Error("no")) }, stop.signal, {
      ...quick,
      baseDelayMs: 3_600_000,
      maxDelayMs: 3_600_000,
      onFailure: () => setImmediate(() => stop.abort(new Error("stop"))),
    });
    await expect(ended).resolves.toBeUndefined();
  });
});

describe("backoffDelayMs", () => {
  it("doubles up to its ceiling and lies between half and the whole of it", () => {
    const options = { baseDelayMs: 100, maxDelayMs: 1000 };
    expect([0, 1, 2, 3, 4, 1000].map((attempt) => backoffDelayMs(attempt, options, () => 1))).toEqual([
      100, 200, 400, 800, 1000, 1000,
    ]);
    expect(backoffDelayMs(2, options, () => 0)).toBe(200);
  });
});
