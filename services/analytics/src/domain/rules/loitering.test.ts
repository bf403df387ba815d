import { describe, expect, it } from "vitest";
import { SQUARE, ruleOf, trackAt } from "../test-support/rules.ts";
import type { Track } from "../tracker/track.ts";
import { RuleEngine } from "./rule-engine.ts";

const T0 = 1_700_000_000_000;
const rule = ruleOf("loitering", { persistenceMs: 30_000, exitMs: 10_000, dedupeMs: 60_000 });

function play(untilMs: number, scene: (t: number) => Track[]) {
  const engine = new RuleEngine([rule], [SQUARE]);
  const outcomes: [string, number][] = [];
  for (let t = 0; t <= untilMs; t += 500)
    for (const { type } of engine.update(scene(t), T0 + t)) outcomes.push([type, t]);
  return outcomes;
}

/** Walks to and fro within the square. */
const pacing = (t: number) => 0.5 + 0.15 * Math.sin(t / 4_000);

describe("loitering", () => {
  it("raises for who walks about in the polygon, once", () => {
    expect(play(90_000, (t) => [trackAt(1, pacing(t), 0.5)])).toEqual([["raised", 30_000]]);
  });

  it("allows short absences, but does not count them", () => {
    const scene = (t: number) => [trackAt(1, t % 10_000 < 5_000 ? 0.5 : 0.9, 0.5)];
    const [first] = play(120_000, scene);
    expect(first?.[0]).toBe("raised");
    expect(first?.[1]).toBeGreaterThan(55_000);
  });

  it("begins anew after a long absence", () => {
    const scene = (t: number) => [trackAt(1, t > 20_000 && t < 35_000 ? 0.9 : 0.5, 0.5)];
    expect(play(80_000, scene)).toEqual([["raised", 65_000]]);
  });

  it("goes on when the track is cut behind a pillar and found again a few steps away", () => {
    const scene = (t: number) => {
      if (t < 15_000) return [trackAt(1, 0.45, 0.5)];
      if (t < 18_000) return [trackAt(1, 0.45, 0.5, { state: "lost", observed: false })];
      return [trackAt(2, 0.55, 0.5, { firstSeenMs: T0 + 18_000 })];
    };
    expect(play(60_000, scene)).toEqual([["raised", 30_000]]);
  });

  it("takes nobody for another who is far off, was there all the time, or has another size", () => {
    const before = trackAt(1, 0.35, 0.5);
    const others: Track[] = [
      trackAt(2, 0.69, 0.5, { firstSeenMs: T0 + 16_000 }),
      trackAt(2, 0.36, 0.5, { firstSeenMs: T0 }),
      trackAt(2, 0.36, 0.5, { firstSeenMs: T0 + 16_000, box: { x: 0.34, y: 0.25, w: 0.04, h: 0.25 } }),
    ];
    for (const other of others) {
      const scene = (t: number) => (t < 15_000 ? [before] : t < 16_000 ? [] : [other]);
      expect(play(40_000, scene)).toEqual([]);
    }
  });

  it("takes nobody for one who walked out of the polygon before", () => {
    const scene = (t: number) => {
      if (t < 15_000) return [trackAt(1, 0.65, 0.5)];
      if (t < 16_000) return [trackAt(1, 0.75, 0.5)];
      return t < 17_000 ? [] : [trackAt(2, 0.65, 0.5, { firstSeenMs: T0 + 17_000 })];
    };
    expect(play(46_000, scene)).toEqual([]);
  });

  it("clears when nobody has been there for exitMs, and counts a new one within dedupeMs", () => {
    const scene = (t: number) => {
      if (t <= 40_000) return [trackAt(1, 0.5, 0.5)];
      return t < 60_000 ? [] : [trackAt(2, 0.5, 0.5, { firstSeenMs: T0 + 60_000 })];
    };
    expect(play(95_000, scene)).toEqual([
      ["raised", 30_000],
      ["cleared", 50_000],
      ["repeated", 90_000],
    ]);
  });
});
