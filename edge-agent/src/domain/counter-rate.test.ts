import { expect, test } from "vitest";
import { CounterRate } from "./counter-rate.ts";

test("a rate is told from the first second on, over ten seconds, and forgets what was before a restart", () => {
  const rate = new CounterRate<"pictures">();
  rate.observe(0, { pictures: 0 });
  expect(rate.perSecond("pictures")).toBe(null);
  rate.observe(2_000, { pictures: 50 });
  expect(rate.perSecond("pictures")).toBe(25);
  for (let s = 4; s <= 20; s += 2) rate.observe(s * 1_000, { pictures: 50 + (s - 2) * 10 });
  expect(rate.perSecond("pictures")).toBe(10);
  rate.observe(22_000, { pictures: 0 });
  expect(rate.perSecond("pictures")).toBe(null);
  rate.observe(24_000, { pictures: 10 });
  expect(rate.perSecond("pictures")).toBe(5);
});

test("a clock that was set back begins it anew", () => {
  const rate = new CounterRate<"pictures">();
  rate.observe(10_000, { pictures: 0 });
  rate.observe(5_000, { pictures: 10 });
  rate.observe(6_000, { pictures: 20 });
  expect(rate.perSecond("pictures")).toBe(10);
});
