import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { DrainRate } from "./drain-rate.ts";

/** So many events a second in batches of 50, each acknowledged after `tookMs`. */
function drained(eventsPerSecond: number, tookMs: number, seconds = 5): DrainRate {
  const rate = new DrainRate();
  for (let atMs = 0; atMs < seconds * 1_000; atMs += 50_000 / eventsPerSecond) {
    rate.acknowledged(50, atMs, atMs + tookMs);
  }
  return rate;
}

describe("DrainRate", () => {
  test("takes a line that it does not know for a thin one, and a quick one for one that drains thousands", () => {
    expect(new DrainRate().shortBacklog).toBe(300);
    expect(drained(300, 40).shortBacklog).toBe(5_000);
  });

  test("knows a thin line by its first acknowledgement", () => {
    const rate = new DrainRate();
    rate.acknowledged(50, 1_000, 1_500);
    expect(rate.eventsPerSecond).toBe(100);
    expect(rate.shortBacklog).toBe(300);
  });

  test("on a thin line a short backlog is what drains in two seconds", () => {
    const { shortBacklog } = drained(800, 600);
    expect(shortBacklog).toBeGreaterThan(1_200);
    expect(shortBacklog).toBeLessThan(1_800);
  });

  test("is always within its bounds, whatever the clock does", () => {
    const acks = fc.array(fc.record({ events: fc.nat(200), sentAtMs: fc.nat(1e6), atMs: fc.nat(1e6) }));
    fc.assert(
      fc.property(acks, (list) => {
        const rate = new DrainRate();
        for (const { events, sentAtMs, atMs } of list) rate.acknowledged(events, sentAtMs, atMs);
        expect(rate.shortBacklog).toBeGreaterThanOrEqual(300);
        expect(rate.shortBacklog).toBeLessThanOrEqual(5_000);
      }),
    );
  });
});
