import { describe, expect, it } from "vitest";
import { isWorthAPulse } from "./use-pulse.ts";

const last = { alarmId: "1", priority: "P3", atMs: 10_000 } as const;
const alarm = (alarmId: string, priority: "P1" | "P3" | "P4" = "P3") => ({ alarmId, priority, count: 1 });

describe("isWorthAPulse", () => {
  it("pulses for the first alarm and for a more urgent one", () => {
    expect(isWorthAPulse(alarm("1"), null, 0)).toBe(true);
    expect(isWorthAPulse(alarm("2", "P1"), last, 10_001)).toBe(true);
  });

  it("stays solid while the same alarm only counts on, and in a flood", () => {
    expect(isWorthAPulse(alarm("1"), last, 99_000)).toBe(false);
    expect(isWorthAPulse(alarm("2"), last, 12_000)).toBe(false);
    expect(isWorthAPulse(alarm("2", "P4"), last, 12_000)).toBe(false);
  });

  it("pulses again for a new alarm after a quiet time", () => {
    expect(isWorthAPulse(alarm("2"), last, 14_001)).toBe(true);
  });
});
