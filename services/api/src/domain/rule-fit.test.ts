import { RULE_DEFAULTS, RULE_KINDS, type RuleKind, type Zone } from "@huishi/contracts";
import { describe, expect, it } from "vitest";
import { checkRule, checkRuleSurroundings, needsGroundPlane, type RuleSettings } from "./rule-fit.ts";

const POLYGON: Zone = {
  id: "zone-1",
  cameraId: "cam-1",
  name: "zone",
  kind: "polygon",
  points: [
    { x: 0.3, y: 0.5 },
    { x: 0.7, y: 0.5 },
    { x: 0.7, y: 0.9 },
  ],
  version: 1,
};
const LINE: Zone = { ...POLYGON, kind: "line", points: POLYGON.points.slice(0, 2) };

const settingsOf = (kind: RuleKind, fields: Partial<RuleSettings> = {}): RuleSettings => ({
  ...RULE_DEFAULTS[kind],
  name: kind,
  kind,
  classes: ["person"],
  direction: "both",
  enabled: true,
  schedule: null,
  ...fields,
});

const GROUND = [
  { picture: { x: 0.2, y: 0.9 }, position: { latitude: 31.2, longitude: 121.4 } },
  { picture: { x: 0.8, y: 0.9 }, position: { latitude: 31.2, longitude: 121.4001 } },
  { picture: { x: 0.6, y: 0.4 }, position: { latitude: 31.2004, longitude: 121.4001 } },
  { picture: { x: 0.4, y: 0.4 }, position: { latitude: 31.2004, longitude: 121.4 } },
];

function codeOf(work: () => void): unknown {
  try {
    work();
    return null;
  } catch (error) {
    const { code, details } = error as { code: string; details: { field: string } };
    return [code, details.field];
  }
}

describe("checkRule", () => {
  it("takes every kind with its defaults on its own kind of zone, and no kind on the other", () => {
    for (const kind of RULE_KINDS) {
      const [own, other] = kind === "line_crossing" ? [LINE, POLYGON] : [POLYGON, LINE];
      expect(codeOf(() => checkRule(settingsOf(kind), "cam-1", own))).toBeNull();
      expect(codeOf(() => checkRule(settingsOf(kind), "cam-1", other))).toEqual(["RULE_ZONE_KIND", "zoneId"]);
    }
  });

  it("names the setting that a kind lacks", () => {
    const needs = {
      wrong_way: "headingDeg",
      congestion: "occupancyShare",
      density_over: "densityPerM2",
      speed_over: "speedKmh",
    } as const;
    for (const [kind, field] of Object.entries(needs) as [keyof typeof needs, string][]) {
      const { [needs[kind]]: _left, ...settings } = settingsOf(kind);
      expect(codeOf(() => checkRule(settings, "cam-1", POLYGON))).toEqual(["RULE_SETTING_MISSING", field]);
    }
  });
});

describe("checkRuleSurroundings", () => {
  const check = (settings: RuleSettings, fields = {}, zone = POLYGON) =>
    codeOf(() =>
      checkRuleSurroundings(settings, zone, { groundPairs: null, isDatastreamKnown: false, ...fields }),
    );

  it("refuses rules about metres and neighbours where the camera has no ground plane", () => {
    const neighbours = { metres: 20, withinMs: 10_000 };
    expect(check(settingsOf("speed_over"))).toEqual(["RULE_NEEDS_GROUND_PLANE", "kind"]);
    expect(check(settingsOf("density_over"))).toEqual(["RULE_NEEDS_GROUND_PLANE", "kind"]);
    expect(check(settingsOf("intrusion", { neighbours }))).toEqual(["RULE_NEEDS_GROUND_PLANE", "neighbours"]);
    for (const settings of [settingsOf("speed_over"), settingsOf("intrusion", { neighbours })])
      expect(check(settings, { groundPairs: GROUND })).toBeNull();
    for (const kind of RULE_KINDS) {
      const isMeasured = kind === "speed_over" || kind === "density_over";
      expect(needsGroundPlane(settingsOf(kind))).toBe(isMeasured);
    }
  });

  it("refuses a measured polygon that reaches over the horizon", () => {
    const zone = { ...POLYGON, points: [...POLYGON.points, { x: 0.3, y: 0.01 }] };
    expect(check(settingsOf("density_over"), { groundPairs: GROUND }, zone)).toEqual([
      "RULE_ZONE_BEYOND_GROUND",
      "zoneId",
    ]);
  });

  it("refuses a sensor condition about a datastream that is not there", () => {
    const sensor = { datastreamId: "7", comparison: "above", value: 1, maxAgeMs: 60_000 } as const;
    expect(check(settingsOf("intrusion", { sensor }))).toEqual([
      "RULE_DATASTREAM_UNKNOWN",
      "sensor.datastreamId",
    ]);
    expect(check(settingsOf("intrusion", { sensor }), { isDatastreamKnown: true })).toBeNull();
    expect(check(settingsOf("intrusion", { sensor: null }))).toBeNull();
  });
});
