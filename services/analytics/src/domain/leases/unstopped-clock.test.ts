import { ManualClock } from "@huishi/kernel";
import { beforeEach, describe, expect, it } from "vitest";
import { UnstoppedClock } from "./unstopped-clock.ts";

describe("UnstoppedClock", () => {
  let monotonic: ManualClock;
  let wall: ManualClock;
  let clock: UnstoppedClock;
  beforeEach(() => {
    monotonic = new ManualClock(50);
    wall = new ManualClock(1_700_000_000_000);
    clock = new UnstoppedClock(monotonic, wall);
  });

  it("runs with the monotonic clock, whatever small steps the wall clock makes", () => {
    for (let i = 0; i < 1_000; i++) {
      monotonic.advance(0.1);
      wall.advance(i % 10 === 0 ? 1 : 0);
      clock.nowMs();
    }
    expect(clock.nowMs()).toBeCloseTo(100);
  });

  it("counts the time for which the machine slept", () => {
    wall.advance(60_000);
    monotonic.advance(5);
    expect(clock.nowMs()).toBe(60_000);
    wall.advance(10);
    monotonic.advance(10);
    expect(clock.nowMs()).toBe(60_010);
  });

  it("is not held up by a wall clock that is set back", () => {
    wall.advance(-3_600_000);
    monotonic.advance(100);
    expect(clock.nowMs()).toBe(100);
  });
});
