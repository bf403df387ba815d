import { expect, test } from "vitest";
import { OutageClock } from "./outage-clock.ts";

test("the clock is a span behind, runs faster through the outage, and never goes back", () => {
  let trueMs = 10_000_000;
  const clock = new OutageClock({ spanMs: 1_000_000, speed: 1_001, trueMs: () => trueMs });
  trueMs += 500;
  expect(clock.nowMs()).toBe(trueMs - 1_000_000);
  clock.beginOutage();
  const seen: number[] = [];
  for (let i = 0; i < 1_500; i++) {
    seen.push(clock.nowMs());
    trueMs += 1;
  }
  expect(seen).toEqual([...seen].sort((a, b) => a - b));
  expect(seen[1]! - seen[0]!).toBe(1_001);
  expect(clock.isTrue).toBe(true);
  expect(seen.at(-1)).toBe(trueMs - 1);
});
