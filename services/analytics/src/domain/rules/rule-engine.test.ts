import { RULE_KINDS } from "@huishi/contracts";
import { footPoint, isInsidePolygon } from "@huishi/kernel";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { SQUARE, UPWARDS, ruleOf, trackAt } from "../test-support/rules.ts";
import { RuleEngine } from "./rule-engine.ts";

const T0 = 1_700_000_000_000;
const ZONES = [SQUARE, UPWARDS];

describe("RuleEngine", () => {
  it("keeps the state of unchanged rules over a replacement, and begins changed ones anew", () => {
    const kept = ruleOf("intrusion", { id: "kept" });
    const changed = ruleOf("intrusion", { id: "changed" });
    const engine = new RuleEngine([kept, changed], ZONES);
    engine.update([trackAt(1, 0.5, 0.5)], T0);
    engine.replace([kept, { ...changed, minScore: 0.5, version: 2 }], ZONES);
    engine.update([trackAt(1, 0.5, 0.5)], T0 + 2_000);
    expect(engine.update([trackAt(1, 0.5, 0.5)], T0 + 3_000)).toMatchObject([
      { type: "raised", ruleId: "kept" },
    ]);
  });

  it("ignores disabled rules, rules without their zone, and zones of the wrong kind", () => {
    const rules = [
      ruleOf("intrusion", { enabled: false }),
      ruleOf("dwell", { zoneId: "gone" }),
      ruleOf("count_over", { zoneId: UPWARDS.id }),
      ruleOf("line_crossing", { zoneId: SQUARE.id }),
    ];
    const engine = new RuleEngine(rules, ZONES);
    for (let t = 0; t < 10_000; t += 200) expect(engine.update([trackAt(1, 0.5, 0.5)], T0 + t)).toEqual([]);
  });

  it("is silent outside its schedule and clears when the schedule ends", () => {
    const schedule = { days: [1], fromMinute: 0, toMinute: 10, timeZone: "UTC" };
    const monday = Date.UTC(2026, 0, 5);
    const engine = new RuleEngine([ruleOf("intrusion", { schedule })], ZONES);
    const types: [string, number][] = [];
    for (let t = -120_000; t < 720_000; t += 1_000) {
      for (const { type } of engine.update([trackAt(1, 0.5, 0.5)], monday + t)) types.push([type, t]);
    }
    expect(types).toEqual([
      ["raised", 3_000],
      ["cleared", 600_000],
    ]);
  });

  const step = fc.record({
    x: fc.double({ min: -0.1, max: 1.1, noNaN: true }),
    y: fc.double({ min: -0.1, max: 1.1, noNaN: true }),
    elapsedMs: fc.integer({ min: 1, max: 2_000 }),
    observed: fc.boolean(),
    still: fc.boolean(),
  });

  it("raises no intrusion for who was never seen in the zone, nor before the persistence", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const engine = new RuleEngine([ruleOf("intrusion")], ZONES);
        let atMs = T0;
        const seenInside: number[] = [];
        for (const { x, y, elapsedMs, observed } of steps) {
          atMs += elapsedMs;
          const track = trackAt(1, x, y, { observed });
          const inside = observed && isInsidePolygon(footPoint(track.box), SQUARE.points);
          if (inside) seenInside.push(atMs);
          for (const outcome of engine.update([track], atMs)) {
            if (outcome.type !== "raised") continue;
            expect(inside).toBe(true);
            expect(outcome.capturedAtMs - outcome.startedAtMs).toBeGreaterThanOrEqual(3_000);
            expect(seenInside).toContain(outcome.startedAtMs);
          }
        }
      }),
    );
  });

  it("survives any clock and any tracks, with every raise before its clear", () => {
    const jumpy = fc.record({
      step,
      jumpMs: fc.oneof(
        { weight: 8, arbitrary: fc.integer({ min: 0, max: 1_000 }) },
        fc.integer({ min: -1e8, max: 1e8 }),
      ),
      id: fc.integer({ min: 1, max: 4 }),
      state: fc.constantFrom("tentative" as const, "confirmed" as const, "lost" as const),
    });
    const rules = RULE_KINDS.map((kind) => ruleOf(kind, { persistenceMs: 1_000, threshold: 0 }));
    fc.assert(
      fc.property(fc.array(jumpy, { maxLength: 80 }), (frames) => {
        const engine = new RuleEngine(rules, ZONES);
        const open = new Set<string>();
        let atMs = T0;
        for (const { step: place, jumpMs, id, state } of frames) {
          atMs = Math.max(0, atMs + jumpMs);
          const stationarySinceMs = place.still ? atMs - 10_000 : null;
          const track = trackAt(id, place.x, place.y, { state, observed: place.observed, stationarySinceMs });
          for (const outcome of engine.update([track], atMs)) {
            if (outcome.type === "crossed" || outcome.ruleId === "rule-line_crossing") continue;
            if (outcome.type === "raised") expect(open.has(outcome.ruleId)).toBe(false);
            if (outcome.type === "raised" || outcome.type === "repeated") open.add(outcome.ruleId);
            else expect(open.delete(outcome.ruleId)).toBe(true);
          }
        }
      }),
    );
  });
});
