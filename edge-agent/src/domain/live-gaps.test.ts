import { describe, expect, test } from "vitest";
import { LiveGaps } from "./live-gaps.ts";

describe("LiveGaps", () => {
  test("tells a gap once, from its first word to the next picture that is sent", () => {
    const gaps = new LiveGaps();
    gaps.lost(1_000, "uplink");
    gaps.lost(5_000, "camera");
    expect(gaps.sent(9_000)).toEqual({ fromMs: 1_000, toMs: 9_000, reason: "uplink" });
    expect(gaps.sent(9_040)).toBeNull();
  });

  test("takes a moment for none", () => {
    const gaps = new LiveGaps();
    gaps.lost(1_000, "camera");
    expect(gaps.sent(2_500)).toBeNull();
  });

  test("a demand that ran out while the uplink was away counts on; one that was given back does not", () => {
    const gaps = new LiveGaps();
    gaps.lost(1_000, "uplink");
    gaps.unwanted(false);
    expect(gaps.sent(600_000)).toMatchObject({ fromMs: 1_000, toMs: 600_000 });
    gaps.lost(700_000, "camera");
    gaps.unwanted(true);
    expect(gaps.sent(800_000)).toBeNull();
  });
});
