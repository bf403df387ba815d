import { describe, expect, it } from "vitest";
import { SQUARE, ruleOf, trackAt } from "../test-support/rules.ts";
import type { Track } from "../tracker/track.ts";
import type { RuleOutcome } from "./outcome.ts";
import { RuleEngine } from "./rule-engine.ts";

const T0 = 1_700_000_000_000;
const inside = (id = 1, overrides: Partial<Track> = {}) => trackAt(id, 0.5, 0.5, overrides);
const outside = (id = 1) => trackAt(id, 0.1, 0.5);

/** Feeds one frame each 200 ms; the scene says which tracks there are at a time since the start. */
function play(
  engine: RuleEngine,
  lengthMs: number,
  scene: (sinceMs: number) => Track[],
  fromMs = T0,
): RuleOutcome[] {
  const outcomes: RuleOutcome[] = [];
  for (let t = 0; t <= lengthMs; t += 200) outcomes.push(...engine.update(scene(t), fromMs + t));
  return outcomes;
}

describe("intrusion", () => {
  it("raises in the very frame in which the persistence is reached", () => {
    const engine = new RuleEngine([ruleOf("intrusion")], [SQUARE]);
    const outcomes = play(engine, 10_000, () => [inside()]);
    expect(outcomes).toEqual([
      {
        type: "raised",
        ruleId: "rule-intrusion",
        capturedAtMs: T0 + 3_000,
        startedAtMs: T0,
        trackIds: [1],
        objectClass: "person",
        box: inside().box,
        score: 0.8,
      },
    ]);
  });

  it("is not impressed by a visit shorter than the persistence, nor by objects of no concern", () => {
    const engine = new RuleEngine([ruleOf("intrusion")], [SQUARE]);
    const scene = (t: number) => [
      t < 2_800 ? inside(1) : outside(1),
      inside(2, { objectClass: "dog" }),
      inside(3, { scoreMean: 0.3 }),
      inside(4, { state: "tentative" }),
    ];
    expect(play(engine, 20_000, scene)).toEqual([]);
  });

  it("takes a foot point that flickers over the border for one stay", () => {
    const engine = new RuleEngine([ruleOf("intrusion")], [SQUARE]);
    const outcomes = play(engine, 10_000, (t) => [t % 1_000 < 600 ? inside() : outside()]);
    expect(outcomes.map(({ type }) => type)).toEqual(["raised"]);
  });

  it("takes a track that is cut and goes on under another id for the same object", () => {
    const engine = new RuleEngine([ruleOf("intrusion")], [SQUARE]);
    const outcomes = play(engine, 12_000, (t) => (t < 2_000 ? [inside(1)] : t < 3_000 ? [] : [inside(9)]));
    expect(outcomes).toMatchObject([
      { type: "raised", trackIds: [9], startedAtMs: T0, capturedAtMs: T0 + 3_000 },
    ]);
  });

  it("counts a second person as an occurrence while the first is there", () => {
    const engine = new RuleEngine([ruleOf("intrusion")], [SQUARE]);
    const far = trackAt(2, 0.35, 0.35);
    const outcomes = play(engine, 10_000, (t) => (t < 2_000 ? [inside(1)] : [inside(1), far]));
    expect(outcomes).toMatchObject([{ type: "raised" }, { type: "repeated", occurrence: 2, trackIds: [2] }]);
  });

  it("clears when the zone has been empty for exitMs, then counts a return within dedupeMs as an occurrence", () => {
    const engine = new RuleEngine([ruleOf("intrusion")], [SQUARE]);
    const outcomes = play(engine, 40_000, (t) => (t <= 5_000 ? [inside(1)] : t < 30_000 ? [] : [inside(2)]));
    expect(outcomes.map(({ type, capturedAtMs }) => [type, capturedAtMs - T0])).toEqual([
      ["raised", 3_000],
      ["cleared", 7_000],
      ["repeated", 33_000],
    ]);
  });

  it("raises anew when the last occurrence is longer ago than dedupeMs", () => {
    const engine = new RuleEngine([ruleOf("intrusion")], [SQUARE]);
    const outcomes = play(engine, 100_000, (t) => (t <= 5_000 ? [inside(1)] : t < 80_000 ? [] : [inside(2)]));
    expect(outcomes.map(({ type }) => type)).toEqual(["raised", "cleared", "raised"]);
  });

  it("does not believe a prediction: a track that is not seen cannot enter", () => {
    const engine = new RuleEngine([ruleOf("intrusion")], [SQUARE]);
    expect(
      play(engine, 10_000, (t) => [t < 400 ? outside() : inside(1, { observed: false, state: "lost" })]),
    ).toEqual([]);
  });

  it("raises nothing when the clock jumps forward or back", () => {
    for (const jump of [3_600_000, -3_600_000]) {
      const engine = new RuleEngine([ruleOf("intrusion")], [SQUARE]);
      play(engine, 1_000, () => [inside()]);
      expect(play(engine, 2_800, () => [inside()], T0 + jump)).toEqual([]);
      expect(engine.update([inside()], T0 + jump + 3_000)).toMatchObject([
        { type: "raised", startedAtMs: T0 + jump },
      ]);
    }
  });
});

describe("dwell", () => {
  const rule = ruleOf("dwell", { persistenceMs: 10_000 });
  const parked = (sinceMs: number) => inside(1, { objectClass: "car", stationarySinceMs: sinceMs });

  it("counts from when the object came to stand", () => {
    const engine = new RuleEngine([rule], [SQUARE]);
    const scene = (t: number) => [t < 6_000 ? inside(1, { objectClass: "car" }) : parked(T0 + 4_000)];
    const outcomes = play(engine, 20_000, scene);
    expect(outcomes).toMatchObject([{ type: "raised", startedAtMs: T0 + 4_000, capturedAtMs: T0 + 14_000 }]);
  });

  it("never minds somebody who keeps moving", () => {
    const engine = new RuleEngine([rule], [SQUARE]);
    expect(play(engine, 60_000, () => [inside()])).toEqual([]);
  });

  it("goes on while a parked car is not looked at, or hidden for less than exitMs", () => {
    const engine = new RuleEngine([rule], [SQUARE]);
    const scene = (t: number): Track[] => {
      const car = parked(T0);
      if (t > 3_000 && t < 9_000) return [{ ...car, observed: false }];
      if (t >= 12_000 && t < 20_000) return [{ ...car, observed: false, state: "lost" }];
      return t > 30_000 ? [] : [car];
    };
    const outcomes = play(engine, 60_000, scene);
    expect(outcomes.map(({ type, capturedAtMs }) => [type, capturedAtMs - T0])).toEqual([
      ["raised", 10_000],
      ["cleared", 45_000],
    ]);
  });

  it("does not count the time before the rule was there", () => {
    const engine = new RuleEngine([rule], [SQUARE]);
    const outcomes = play(engine, 20_000, () => [parked(T0 - 600_000)]);
    expect(outcomes).toMatchObject([{ type: "raised", capturedAtMs: T0 + 10_000 }]);
  });
});

describe("count_over", () => {
  const rule = ruleOf("count_over", { threshold: 2, persistenceMs: 5_000, exitMs: 3_000, dedupeMs: 10_000 });
  const crowd = (count: number) =>
    Array.from({ length: count }, (_, i) => trackAt(i + 1, 0.4 + 0.05 * i, 0.5));

  it("raises once when the count stays above the threshold, with everybody as evidence", () => {
    const engine = new RuleEngine([rule], [SQUARE]);
    const outcomes = play(engine, 20_000, (t) => crowd(t < 2_000 ? 2 : 3));
    expect(outcomes).toMatchObject([
      { type: "raised", trackIds: [1, 2, 3], startedAtMs: T0 + 2_000, capturedAtMs: T0 + 7_000 },
    ]);
    const [raised] = outcomes;
    expect(raised).toHaveProperty("box.w", expect.closeTo(0.14));
  });

  it("overlooks a short dip, before the alarm and during it", () => {
    const engine = new RuleEngine([rule], [SQUARE]);
    const outcomes = play(engine, 30_000, (t) => crowd(t % 4_000 < 2_000 ? 3 : 2));
    expect(outcomes.map(({ type }) => type)).toEqual(["raised"]);
  });

  it("clears after exitMs at or below the threshold", () => {
    const engine = new RuleEngine([rule], [SQUARE]);
    const outcomes = play(engine, 30_000, (t) => crowd(t <= 10_000 ? 3 : 2));
    expect(outcomes.map(({ type, capturedAtMs }) => [type, capturedAtMs - T0])).toEqual([
      ["raised", 5_000],
      ["cleared", 13_000],
    ]);
  });
});
