import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { UPWARDS, ruleOf, trackAt } from "../test-support/rules.ts";
import { netCrossings } from "./line-geometry.ts";
import type { RuleOutcome } from "./outcome.ts";
import { RuleEngine } from "./rule-engine.ts";

const T0 = 1_700_000_000_000;

function walk(engine: RuleEngine, xs: readonly number[], id = 1, fromMs = T0): RuleOutcome[] {
  return xs.flatMap((x, k) => engine.update([trackAt(id, x, 0.5)], fromMs + k * 200));
}

const typesOf = (outcomes: readonly RuleOutcome[]) => outcomes.map(({ type }) => type);

describe("line_crossing", () => {
  it("counts a crossing with its direction and raises", () => {
    const engine = new RuleEngine([ruleOf("line_crossing")], [UPWARDS]);
    const outcomes = walk(engine, [0.3, 0.4, 0.45, 0.55, 0.6]);
    expect(outcomes).toMatchObject([
      { type: "crossed", direction: "left_to_right", trackId: 1, capturedAtMs: T0 + 600 },
      { type: "raised", trackIds: [1], capturedAtMs: T0 + 600 },
    ]);
  });

  it("counts the other direction too, but raises only in its own", () => {
    const engine = new RuleEngine([ruleOf("line_crossing", { direction: "left_to_right" })], [UPWARDS]);
    expect(walk(engine, [0.6, 0.4])).toMatchObject([{ type: "crossed", direction: "right_to_left" }]);
  });

  it("adds an occurrence within dedupeMs and raises anew after it", () => {
    const engine = new RuleEngine([ruleOf("line_crossing", { dedupeMs: 5_000 })], [UPWARDS]);
    expect(typesOf(walk(engine, [0.4, 0.6], 1, T0))).toEqual(["crossed", "raised"]);
    expect(typesOf(walk(engine, [0.4, 0.6], 2, T0 + 2_000))).toEqual(["crossed", "repeated"]);
    expect(typesOf(walk(engine, [0.4, 0.6], 3, T0 + 9_000))).toEqual(["crossed", "raised"]);
  });

  it("does not count somebody who trembles on the line and goes back", () => {
    const engine = new RuleEngine([ruleOf("line_crossing")], [UPWARDS]);
    expect(walk(engine, [0.4, 0.499, 0.501, 0.499, 0.502, 0.498, 0.4])).toEqual([]);
  });

  it("counts once somebody who trembles on the line and goes on", () => {
    const engine = new RuleEngine([ruleOf("line_crossing")], [UPWARDS]);
    expect(typesOf(walk(engine, [0.4, 0.499, 0.501, 0.499, 0.502, 0.6]))).toEqual(["crossed", "raised"]);
  });

  it("does not count who walks around the end of the line", () => {
    const short = {
      ...UPWARDS,
      points: [
        { x: 0.5, y: 0.4 },
        { x: 0.5, y: 0 },
      ],
    };
    const engine = new RuleEngine([ruleOf("line_crossing")], [short]);
    expect(walk(engine, [0.3, 0.45, 0.55, 0.7])).toEqual([]);
  });

  it("has crossings that sum up to the change of side, on any walk", () => {
    const place = fc.double({ min: 0, max: 1, noNaN: true });
    fc.assert(
      fc.property(fc.array(place, { minLength: 2, maxLength: 40 }), (xs) => {
        const engine = new RuleEngine([ruleOf("line_crossing")], [UPWARDS]);
        const settled = [xs[0]! < 0.5 ? 0.2 : 0.8, ...xs, xs.at(-1)! < 0.5 ? 0.2 : 0.8];
        const crossed = walk(engine, settled).filter((outcome) => outcome.type === "crossed");
        const net = crossed.reduce((sum, one) => sum + (one.direction === "left_to_right" ? 1 : -1), 0);
        expect(net).toBe(Number(settled.at(-1)! >= 0.5) - Number(settled[0]! >= 0.5));
      }),
    );
  });
});

describe("netCrossings", () => {
  const corner = [
    { x: 0, y: 0.5 },
    { x: 0.5, y: 0.5 },
    { x: 1, y: 0.5 },
  ];

  it("counts a path through a corner of the line once", () => {
    expect(Math.abs(netCrossings({ x: 0.5, y: 0.2 }, { x: 0.5, y: 0.8 }, corner))).toBe(1);
  });

  it("counts a path that stops on the line and goes on once", () => {
    const up = { x: 0.3, y: 0.2 };
    const on = { x: 0.3, y: 0.5 };
    const down = { x: 0.3, y: 0.8 };
    expect(Math.abs(netCrossings(up, on, corner) + netCrossings(on, down, corner))).toBe(1);
    expect(netCrossings(up, on, corner) + netCrossings(on, up, corner)).toBe(0);
  });
});
