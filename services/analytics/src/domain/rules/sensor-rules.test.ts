import type { SensorCondition } from "@huishi/contracts";
import { describe, expect, it } from "vitest";
import { SQUARE, UPWARDS, ruleOf, trackAt } from "../test-support/rules.ts";
import { RuleEngine } from "./rule-engine.ts";
import type { SensorReading } from "./sensor-readings.ts";

const T0 = 1_700_000_000_000;
const sensor: SensorCondition = { datastreamId: "7", comparison: "above", value: 0.3, maxAgeMs: 60_000 };
const rule = ruleOf("intrusion", { sensor, persistenceMs: 2_000, exitMs: 2_000 });

class Water {
  reading: SensorReading | null = null;
  latest(datastreamId: string): SensorReading | null {
    return datastreamId === "7" ? this.reading : null;
  }
  says(value: number, atMs: number): void {
    this.reading = { datastreamId: "7", value, atMs };
  }
}

function scene(zones = [SQUARE], rules = [rule]) {
  const water = new Water();
  const engine = new RuleEngine(rules, zones, undefined, { sensors: water });
  const run = (fromMs: number, toMs: number, x: (t: number) => number = () => 0.5) => {
    const said: [string, number][] = [];
    for (let t = fromMs; t < toMs; t += 200)
      for (const outcome of engine.update([trackAt(1, x(t), 0.5)], T0 + t)) said.push([outcome.type, t]);
    return said;
  };
  return { water, engine, run };
}

describe("a rule with a sensor condition", () => {
  it("raises when the person entered first and the water rose later, with reading and time", () => {
    const { water, engine, run } = scene();
    water.says(0.1, T0);
    expect(run(0, 10_000)).toEqual([]);
    water.says(0.45, T0 + 9_900);
    expect(run(10_000, 12_000)).toEqual([]);
    expect(engine.update([trackAt(1, 0.5, 0.5)], T0 + 12_000)).toMatchObject([
      {
        type: "raised",
        startedAtMs: T0 + 10_000,
        sensor: { datastreamId: "7", value: 0.45, atMs: T0 + 9_900 },
      },
    ]);
  });

  it("raises when the water was there first", () => {
    const { water, run } = scene();
    water.says(0.45, T0);
    expect(run(0, 5_000, (t) => (t < 1_000 ? 0.9 : 0.5))).toEqual([["raised", 3_000]]);
  });

  it("never takes a stale reading, one from the future or none at all for true", () => {
    for (const at of [T0 - 61_000, T0 + 75_000, null]) {
      const { water, run } = scene();
      if (at !== null) water.says(9, at);
      expect(run(0, 10_000)).toEqual([]);
    }
  });

  it("clears when the water has gone, also when nobody moves", () => {
    const { water, run } = scene();
    water.says(0.45, T0);
    expect(run(0, 5_000)).toEqual([["raised", 2_000]]);
    water.says(0.2, T0 + 5_000);
    expect(run(5_000, 10_000)).toEqual([["cleared", 6_800]]);
  });

  it("compares downwards too", () => {
    const low = { ...rule, sensor: { ...sensor, comparison: "below" as const } };
    const { water, run } = scene([SQUARE], [low]);
    water.says(0.2, T0);
    expect(run(0, 3_000)).toEqual([["raised", 2_000]]);
  });

  it("holds for a dwell from when both hold, not from when the car came to stand", () => {
    const dwell = ruleOf("dwell", { sensor, persistenceMs: 5_000 });
    const { water, engine } = scene([SQUARE], [dwell]);
    const said: number[] = [];
    for (let t = 0; t < 20_000; t += 200) {
      if (t === 8_000) water.says(0.5, T0 + t);
      const car = trackAt(1, 0.5, 0.5, { objectClass: "car", stationarySinceMs: T0 });
      for (const { capturedAtMs } of engine.update([car], T0 + t)) said.push(capturedAtMs - T0);
    }
    expect(said).toEqual([13_000]);
  });

  it("goes on counting crossings of a line, and raises only with the sensor", () => {
    const line = ruleOf("line_crossing", { sensor });
    const { water, run } = scene([UPWARDS], [line]);
    expect(run(0, 1_000, (t) => (t < 400 ? 0.3 : 0.7))).toEqual([["crossed", 400]]);
    water.says(0.5, T0 + 1_000);
    expect(run(1_000, 2_000, (t) => (t < 1_400 ? 0.7 : 0.3))).toEqual([
      ["crossed", 1_400],
      ["raised", 1_400],
    ]);
  });
});
