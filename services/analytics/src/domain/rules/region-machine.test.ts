import { describe, expect, it } from "vitest";
import type { StaticRegion } from "../background/static-region.ts";
import { SQUARE, ruleOf } from "../test-support/rules.ts";
import { RuleEngine } from "./rule-engine.ts";
import { needsPictures } from "./rule-machines.ts";

const T0 = 1_700_000_000_000;
const settings = { persistenceMs: 10_000, exitMs: 3_000, dedupeMs: 20_000 };
const region = (fields: Partial<StaticRegion> = {}): StaticRegion => ({
  id: 1,
  kind: "appeared",
  box: { x: 0.4, y: 0.4, w: 0.1, h: 0.1 },
  sinceMs: T0,
  score: 0.8,
  ...fields,
});

function play(
  kind: "abandoned_object" | "object_removed",
  untilMs: number,
  see: (t: number) => StaticRegion[] | null,
) {
  const engine = new RuleEngine([ruleOf(kind, settings)], [SQUARE]);
  const said: [string, number][] = [];
  for (let t = 0; t <= untilMs; t += 500) {
    const staticRegions = see(t);
    for (const { type } of engine.update([], T0 + t, staticRegions === null ? {} : { staticRegions }))
      said.push([type, t]);
  }
  return said;
}

describe("abandoned_object and object_removed", () => {
  it("raise for a region of their kind that stays, once, and clear when it is gone", () => {
    const see = (t: number) => (t < 20_000 ? [region()] : []);
    const raised = [
      ["raised", 10_000],
      ["cleared", 22_500],
    ];
    expect(play("abandoned_object", 30_000, see)).toEqual(raised);
    expect(play("object_removed", 30_000, see)).toEqual([]);
    expect(play("object_removed", 30_000, (t) => (t < 20_000 ? [region({ kind: "vanished" })] : []))).toEqual(
      raised,
    );
  });

  it("overlook a region that is not reported for a moment", () => {
    const see = (t: number) => (t % 5_000 < 2_500 ? [region()] : []);
    expect(play("abandoned_object", 30_000, see)).toEqual([["raised", 10_000]]);
  });

  it("count a second one as an occurrence", () => {
    const see = (t: number) => [region(), ...(t > 5_000 ? [region({ id: 2, sinceMs: T0 + 5_000 })] : [])];
    expect(play("abandoned_object", 20_000, see)).toEqual([
      ["raised", 10_000],
      ["repeated", 15_000],
    ]);
  });

  it("mind neither what lies outside the polygon, nor what is unclear, nor frames that were not looked at", () => {
    expect(
      play("abandoned_object", 20_000, () => [region({ box: { x: 0.1, y: 0.1, w: 0.1, h: 0.1 } })]),
    ).toEqual([]);
    expect(play("abandoned_object", 20_000, () => [region({ score: 0.2 })])).toEqual([]);
    expect(play("abandoned_object", 20_000, () => null)).toEqual([]);
    const halfSeen = (t: number) => (t > 12_000 && t < 40_000 ? null : [region()]);
    expect(play("abandoned_object", 41_000, halfSeen)).toEqual([["raised", 10_000]]);
  });

  it("do not count the time before the rule was there", () => {
    expect(play("abandoned_object", 20_000, () => [region({ sinceMs: T0 - 600_000 })])).toEqual([
      ["raised", 10_000],
    ]);
  });

  it("are the kinds that stored tracks cannot rehearse", () => {
    expect(needsPictures("abandoned_object") && needsPictures("object_removed")).toBe(true);
    expect(needsPictures("intrusion") || needsPictures("congestion")).toBe(false);
  });
});
