import { expect, it } from "vitest";
import { StageWindow } from "./stage-times.ts";

it("tells mean and 95th percentile of each stage that was timed", () => {
  const window = new StageWindow(2);
  for (let i = 0; i < 95; i++) window.add("detect", 8);
  for (let i = 0; i < 5; i++) window.add("detect", 100);
  const [detect, ...others] = window.read();
  expect(others).toEqual([]);
  expect(detect).toMatchObject({ stage: "detect", count: 100, meanMs: 12.6 });
  expect(detect?.p95Ms).toBeGreaterThanOrEqual(8);
  expect(detect?.p95Ms).toBeLessThanOrEqual(8 * 1.25);
});

it("forgets what is older than its intervals", () => {
  const window = new StageWindow(2);
  window.add("gate", 1);
  window.turn();
  window.add("gate", 3);
  expect(window.read()).toMatchObject([{ stage: "gate", count: 2, meanMs: 2 }]);
  window.turn();
  expect(window.read()).toMatchObject([{ stage: "gate", count: 1, meanMs: 3 }]);
});

it("takes no time that is none", () => {
  const window = new StageWindow(1);
  window.add("queue", Number.NaN);
  window.add("queue", -1);
  expect(window.read()).toEqual([]);
});
